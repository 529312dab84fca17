import { expect, test } from 'vitest'
import { makePlaces } from '../../../src/kernel/index.ts'

test('a key has its own bound and all keys have one together', () => {
  const places = makePlaces({ perKeyMax: 2, max: 3 })
  const taken = ['a', 'a', 'a', 'b', 'b'].map((key) => places.take(key))
  expect(taken).toEqual(['taken', 'taken', 'key_is_full', 'taken', 'full'])
})

test('a place given back can be taken again, by whomever', () => {
  const places = makePlaces({ perKeyMax: 1, max: 1 })
  expect(places.take('a')).toBe('taken')
  places.leave('a')
  expect(places.take('b')).toBe('taken')
})

test('giving back what was not taken makes no room', () => {
  const places = makePlaces({ perKeyMax: 5, max: 1 })
  places.take('a')
  places.leave('b')
  expect(places.take('c')).toBe('full')
})
