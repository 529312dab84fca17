import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { interleave, type Lined, makeLine } from '../../../src/events/drain/line.ts'

const one = (sequence: number, merchantId = 'm', subject = `s${sequence}`): Lined => ({
  id: `d${sequence}`,
  merchantId,
  subject,
  sequence: BigInt(sequence),
})
const numbers = (all: readonly Lined[]) => all.map(({ sequence }) => Number(sequence))

describe('merchants', () => {
  test('take turns: one delivery of each, then the next of each', () => {
    const flood = [1, 2, 3, 4].map((n) => one(n, 'flood'))
    expect(numbers(interleave([...flood, one(5, 'a'), one(6, 'b'), one(7, 'b')]))).toEqual([
      1, 5, 6, 2, 7, 3, 4,
    ])
  })

  test('keep the order among their own', () => {
    const merchants = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 50 })
    fc.assert(
      fc.property(merchants, (ids) => {
        const all = ids.map((id, index) => one(index, id))
        const mixed = interleave(all)
        expect(numbers(mixed).sort((a, b) => a - b)).toEqual(numbers(all))
        for (const id of ['a', 'b', 'c']) {
          const own = numbers(mixed.filter(({ merchantId }) => merchantId === id))
          expect(own).toEqual([...own].sort((a, b) => a - b))
        }
      }),
    )
  })

  test('one that comes later stands before most of the flood', () => {
    const line = makeLine<Lined>(32)
    line.add(
      [1, 2, 3, 4, 5, 6].map((n) => one(n, 'flood')),
      false,
    )
    line.take(false)
    line.add([one(7, 'late')], false)
    expect([line.take(false)?.sequence, line.take(false)?.sequence]).toEqual([2n, 7n])
  })
})

describe('in order', () => {
  test('the second of a subject begins when the first has been recorded, others at once', () => {
    const line = makeLine<Lined>(32)
    line.add([one(1, 'm', 'x'), one(2, 'm', 'x'), one(3, 'm', 'y')], true)
    expect(line.ready(true)).toBe(2)
    const first = line.take(true)
    expect(first?.sequence).toBe(1n)
    expect(line.take(true)?.sequence).toBe(3n)
    expect(line.take(true)).toBeUndefined()
    if (first !== undefined) line.release(first)
    expect(line.take(true)?.sequence).toBe(2n)
  })

  test('two merchants may have the same subject', () => {
    const line = makeLine<Lined>(32)
    line.add([one(1, 'a', 'x'), one(2, 'b', 'x')], true)
    expect([line.take(true)?.sequence, line.take(true)?.sequence]).toEqual([1n, 2n])
  })

  test('what stands behind a delivery that has to be tried again is dropped', () => {
    const line = makeLine<Lined>(32)
    line.add([one(1, 'm', 'x'), one(2, 'm', 'x'), one(3, 'm', 'y')], true)
    const first = line.take(true)
    if (first !== undefined) line.dropFollowers(first)
    expect(line.ids()).toEqual(['d3', 'd1'])
  })

  test('a claim keeps so many of one subject, the first ones', () => {
    const line = makeLine<Lined>(2)
    line.add(
      [1, 2, 3, 4].map((n) => one(n, 'm', 'x')),
      true,
    )
    expect(line.ids()).toEqual(['d1', 'd2'])
  })

  test('says when a subject has left the hand, once', () => {
    const line = makeLine<Lined>(32)
    line.add([one(1)], true)
    const first = line.take(true)
    expect(line.tookLeave()).toBe(false)
    if (first !== undefined) line.release(first)
    expect([line.tookLeave(), line.tookLeave()]).toEqual([true, false])
  })

  test('whatever comes, no two of a subject are in hand begun, and each subject keeps its order', () => {
    const subject = fc.constantFrom('x', 'y')
    const step = fc.record({ what: fc.constantFrom('add', 'take', 'take', 'release', 'fail'), subject })
    fc.assert(fc.property(fc.array(step, { maxLength: 80 }), play))
  })
})

interface Step {
  readonly what: string
  readonly subject: string
}

/** Plays the steps on one line, and looks at each delivery that it lets begin. */
function play(steps: readonly Step[]): void {
  const line = makeLine<Lined>(32)
  const begun: Lined[] = []
  const lastOf = new Map<string, bigint>()

  const begin = (taken: Lined | undefined): void => {
    if (taken === undefined) return
    expect(begun.some(({ subject }) => subject === taken.subject)).toBe(false)
    expect(taken.sequence).toBeGreaterThan(lastOf.get(taken.subject) ?? 0n)
    lastOf.set(taken.subject, taken.sequence)
    begun.push(taken)
  }
  const end = (failed: boolean): void => {
    const ended = begun.shift()
    if (ended === undefined) return
    if (failed) line.dropFollowers(ended)
    line.release(ended)
  }

  steps.forEach(({ what, subject }, index) => {
    if (what === 'add') line.add([one(index + 1, 'm', subject)], true)
    else if (what === 'take') begin(line.take(true))
    else end(what === 'fail')
  })
}
