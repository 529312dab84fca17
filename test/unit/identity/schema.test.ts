import { describe, expect, test } from 'vitest'
import { compile, pageRequestOf, toPage } from '../../../src/capability/index.ts'
import { email, nameOf, newPassword } from '../../../src/identity/schema.ts'
import { limits } from '../../../src/kernel/index.ts'

const accepts = (schema: { readonly json: Parameters<typeof compile>[0] }, value: unknown) =>
  compile(schema.json)(value).length === 0

describe('a name', () => {
  const name = nameOf('a name')

  test.each(['Ada', '王小明', 'Zoë O’Hara-Smith', '👩‍💻 Ada', 'مقهى'])('may be %s', (text) =>
    expect(accepts(name, text)).toBe(true),
  )
  test.each([
    ['nothing', ''],
    ['blank', '   '],
    ['two lines', 'Ada\nLovelace'],
    ['NUL', 'Ada\u0000'],
    ['text turned backwards', 'Ada\u202Egnp.exe'],
    ['an invisible isolate', '\u2066Ada\u2069'],
    ['endless', 'a'.repeat(101)],
  ])('may not be %s', (_what, text) => expect(accepts(name, text)).toBe(false))
})

describe('an email address', () => {
  test.each(['ada@shop.example', 'ADA+x@shop.example', '小明@例子.中国'])('may be %s', (text) =>
    expect(accepts(email, text)).toBe(true),
  )
  test.each(['ada', 'ada@', '@shop.example', 'a b@shop.example', 'a@b@c', 'a\u0000@shop.example'])(
    'may not be %j',
    (text) => expect(accepts(email, text)).toBe(false),
  )
})

test('a password is bounded in length and nothing else', () => {
  expect(accepts(newPassword, 'a'.repeat(limits.passwordLengthMin))).toBe(true)
  expect(accepts(newPassword, '🔑'.repeat(limits.passwordLengthMax))).toBe(true)
  expect(accepts(newPassword, 'a'.repeat(limits.passwordLengthMin - 1))).toBe(false)
  expect(accepts(newPassword, 'a'.repeat(limits.passwordLengthMax + 1))).toBe(false)
})

describe('a page', () => {
  const options = { cursorOf: (row: string) => row, toItem: (row: string) => row.toUpperCase() }

  test('has a cursor only when there is more', () => {
    const input = { limit: 2 }
    expect(pageRequestOf(input)).toEqual({ rowsMax: 3, after: null })
    expect(toPage(input, ['c', 'b', 'a'], options)).toEqual({
      data: ['C', 'B'],
      hasMore: true,
      nextCursor: 'b',
    })
    expect(toPage(input, ['c', 'b'], options)).toEqual({ data: ['C', 'B'], hasMore: false, nextCursor: null })
    expect(toPage(input, [], options)).toEqual({ data: [], hasMore: false, nextCursor: null })
  })
})
