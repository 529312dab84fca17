import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { judge, percentile } from '../../chaos/judge.ts'
import type { AcknowledgedLine, Evidence, FaultLine, ReceivedLine } from '../../chaos/lines.ts'
import { fileNames } from '../../chaos/lines.ts'
import { repositoryRoot } from '../../support/repository.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stoa-judge-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const types = ['order.created', 'order.paid', 'order.shipped'] as const

/** Three events of each of three subjects; event n of all is answered at n × 100 ms. */
function goodRun(): Evidence {
  const subjects = ['ord_A', 'ord_B', 'ord_C']
  const events = types.flatMap((type, round) =>
    subjects.map((subject, index) => ({ type, subject, number: round * subjects.length + index })),
  )
  const endpoint = 'ordered-1'
  return {
    acknowledged: events.map(
      ({ type, subject, number }): AcknowledgedLine => ({
        ...{ endpoint, ordered: true, type, subject },
        ...{ id: `evt_${number}`, atMs: number * 100 },
      }),
    ),
    received: events.map(
      ({ type, subject, number }): ReceivedLine => ({
        ...{ endpoint, type, subject, id: `evt_${number}`, sequence: number + 1, attempt: 1 },
        ...{ arrivedMs: number * 100 + 50, atMs: number * 100 + 60, answer: 'ok' },
      }),
    ),
    faults: [],
  }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

function without<T>(items: readonly T[], index: number): readonly T[] {
  return items.filter((_, other) => other !== index)
}

function doubled<T>(items: readonly T[], index: number): readonly T[] {
  return [...items, at(items, index)]
}

function swapped<T>(items: readonly T[], one: number, other: number): readonly T[] {
  return items.map((item, index) =>
    index === one ? at(items, other) : index === other ? at(items, one) : item,
  )
}

/** A fault at 450 ms with event 4 in flight, which is why it comes again after `ms`. */
function withRedelivery(ms: number): Evidence {
  const run = goodRun()
  const again: ReceivedLine = { ...at(run.received, 4), arrivedMs: 450 + ms, atMs: 460 + ms }
  const fault: FaultLine = {
    fault: 'kill -9 worker-1',
    atMs: 450,
    ableMs: 450,
    seenMs: 455,
    open: 1,
    gone: null,
    inFlight: ['evt_4'],
  }
  return { ...run, received: [...run.received, again], faults: [fault] }
}

/** What the program itself says of the three files, as the run calls it. */
function check(evidence: Evidence) {
  for (const [name, lines] of Object.entries(evidence) as [keyof Evidence, readonly object[]][]) {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    writeFileSync(path.join(folder, fileNames[name]), text)
  }
  const program = path.join(repositoryRoot, 'test/chaos/check.ts')
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', program, folder], {
    encoding: 'utf8',
  })
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return { status, sum: JSON.parse(last) as Record<string, number> }
}

test('a run in which everything arrives once and in order passes', () => {
  expect(judge(goodRun()).problems).toEqual([])
  expect(check(goodRun())).toEqual({
    status: 0,
    sum: {
      published: 9,
      delivered: 9,
      lost: 0,
      duplicates: 0,
      order_violations: 0,
      recovery_p50_ms: 0,
      recovery_p99_ms: 0,
    },
  })
})

describe('one line of the receiver’s file', () => {
  test('dropped is an event lost, and the checker fails', () => {
    const run = goodRun()
    const { status, sum } = check({ ...run, received: without(run.received, 4) })
    expect([status, sum['lost'], sum['delivered']]).toEqual([1, 1, 8])
  })

  test('doubled is a duplicate that no fault explains, and the checker fails', () => {
    const run = goodRun()
    const { status, sum } = check({ ...run, received: doubled(run.received, 4) })
    expect([status, sum['duplicates'], sum['lost']]).toEqual([1, 1, 0])
  })

  test('swapped with another of its subject is a violation of order, and the checker fails', () => {
    const run = goodRun()
    const { status, sum } = check({ ...run, received: swapped(run.received, 1, 4) })
    expect([status, sum['order_violations'], sum['lost'], sum['duplicates']]).toEqual([1, 1, 0, 0])
  })
})

describe('what else is judged', () => {
  test.each(goodRun().received.map((_, index) => index))('event %i is missed when it is missing', (index) => {
    const run = goodRun()
    expect(judge({ ...run, received: without(run.received, index) }).lost).toBe(1)
  })

  test('two subjects may overtake each other, and so may the events of an endpoint that asked for no order', () => {
    const run = goodRun()
    expect(judge({ ...run, received: swapped(run.received, 1, 2) }).problems).toEqual([])
    const unordered = run.acknowledged.map((line) => ({ ...line, ordered: false }))
    const swappedRun = { ...run, acknowledged: unordered, received: swapped(run.received, 1, 4) }
    expect(judge(swappedRun).problems).toEqual([])
  })

  test('an answer that took nothing is no delivery', () => {
    const run = goodRun()
    const received = run.received.map((line, index) =>
      index === 4 ? { ...line, answer: 'hang' as const } : line,
    )
    expect(judge({ ...run, received })).toMatchObject({ lost: 1, delivered: 8 })
  })

  test('an event published under two ids is found by type and subject', () => {
    const run = goodRun()
    const acknowledged = run.acknowledged.map((line) => ({ ...line, id: null }))
    const other = { ...at(run.received, 4), id: 'evt_other', sequence: 10 }
    expect(judge({ ...run, acknowledged }).problems).toEqual([])
    const { duplicates, problems } = judge({ ...run, acknowledged, received: [...run.received, other] })
    expect(duplicates).toBe(1)
    expect(problems.join('\n')).toContain('published under two ids')
  })

  test('a delivery that nobody acknowledged, a wrong signature and a gap in the sequence are each a problem', () => {
    const run = goodRun()
    const unknown = judge({ ...run, acknowledged: without(run.acknowledged, 8) })
    expect(unknown.problems.join()).toContain('1 events delivered that nobody acknowledged')
    const forged = { ...at(run.received, 4), answer: 'refused' as const }
    expect(judge({ ...run, received: [...run.received, forged] }).problems.join()).toContain(
      'wrong signature',
    )
    const gap = run.received.map((line) => ({
      ...line,
      sequence: line.sequence > 4 ? line.sequence + 1 : line.sequence,
    }))
    expect(judge({ ...run, received: gap }).problems.join()).toContain('1 numbers missing')
    const moved = { ...at(run.received, 4), sequence: 10 }
    expect(judge({ ...run, received: [...run.received, moved] }).problems.join()).toContain(
      'changed its number',
    )
  })

  test('a duplicate is explained once by each fault at which it was in flight', () => {
    const run = withRedelivery(7_000)
    expect(judge(run)).toMatchObject({ duplicates: 1, inFlight: 1, problems: [] })
    const twice = judge({ ...run, received: [...run.received, at(run.received, 9)] })
    expect(twice.duplicates).toBe(2)
    expect(twice.problems.join()).toContain('1 duplicates of events that were not in flight')
  })

  test('a redelivery within 10 s of the kill keeps the promise, a later one breaks it', () => {
    expect(judge(withRedelivery(9_999))).toMatchObject({ recoveriesMs: [9_999], problems: [] })
    const late = judge(withRedelivery(10_001))
    expect(late.problems).toEqual(['1 events redelivered too late: evt_4 10001 ms after kill -9 worker-1'])
  })

  test('a request to an endpoint that had answered 410 is a problem, the one that was answered so is none', () => {
    const run = goodRun()
    const before: ReceivedLine = {
      ...{ endpoint: 'gone', type: 'order.created', subject: 'ord_G', id: 'evt_G', sequence: 1, attempt: 1 },
      ...{ arrivedMs: 100, atMs: 100, answer: 'gone' },
    }
    const stopped: FaultLine = {
      ...{ fault: 'answer 410', atMs: 200, ableMs: 200, seenMs: 0, open: 0, inFlight: [], gone: 'gone' },
    }
    const evidence = { ...run, received: [...run.received, before], faults: [stopped] }
    expect(judge(evidence).problems).toEqual([])
    const after = { ...before, id: 'evt_H', sequence: 2, arrivedMs: 300, atMs: 300 }
    const { problems } = judge({ ...evidence, received: [...evidence.received, after] })
    expect(problems).toEqual(['1 requests to an endpoint that had answered 410: evt_H'])
  })

  test('the promise counts from when somebody could deliver again', () => {
    const run = withRedelivery(12_000)
    const faults = run.faults.map((fault) => ({ ...fault, ableMs: 4_450 }))
    expect(judge({ ...run, faults })).toMatchObject({
      recoveriesMs: [8_000],
      recoveriesFromFaultMs: [12_000],
      problems: [],
    })
  })
})

test('a percentile is a value that occurred', () => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1)
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([100, 198, 7])
})
