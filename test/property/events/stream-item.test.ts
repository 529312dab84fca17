import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type StreamItem, withGapsFilled } from '../../../src/events/pull/stream-item.ts'

const held = (sequence: bigint): StreamItem => ({ kind: 'held', sequence })

/** Where a page begins, how far it goes, and which of its places have an item. */
const pages = fc.tuple(fc.bigInt(0n, 50n), fc.array(fc.boolean(), { maxLength: 60 })).map(([after, has]) => ({
  after,
  through: after + BigInt(has.length),
  items: has.flatMap((isThere, i) => (isThere ? [held(after + BigInt(i) + 1n)] : [])),
}))

test('every place of a page is said exactly once and in order, and no item is changed', () => {
  fc.assert(
    fc.property(pages, ({ after, through, items }) => {
      const filled = withGapsFilled(items, { after, through })
      const places = filled.flatMap((item) => {
        const from = item.kind === 'cancelled' ? item.from : item.sequence
        return Array.from({ length: Number(item.sequence - from) + 1 }, (_, i) => from + BigInt(i))
      })
      expect(places).toEqual(
        Array.from({ length: Number(through - after) }, (_, i) => after + BigInt(i) + 1n),
      )
      expect(filled.filter((item) => item.kind === 'held')).toEqual(items)
    }),
  )
})

test('what is missing side by side is one marker', () => {
  fc.assert(
    fc.property(pages, ({ after, through, items }) => {
      const filled = withGapsFilled(items, { after, through })
      const pairs = filled.slice(1).map((item, i) => [filled[i]?.kind, item.kind])
      expect(pairs.filter(([a, b]) => a === 'cancelled' && b === 'cancelled')).toEqual([])
    }),
  )
})
