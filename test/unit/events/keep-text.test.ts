import { expect, test } from 'vitest'
import { keepText } from '../../../src/events/drain/keep-text.ts'

test.each([
  ['a short text', 'ok', 10, 'ok'],
  ['a long one', 'abcdef', 3, 'abc'],
  ['a character that would be halved', 'a☃', 3, 'a'],
  ['an emoji at the cut', 'ab😀', 5, 'ab'],
  ['NUL, which the database does not hold', 'a\u0000b', 10, 'a\ufffdb'],
  ['half a surrogate pair', 'a\ud83d', 10, 'a\ufffd'],
])('%s', (_what, text, bytesMax, kept) => expect(keepText(text, bytesMax)).toBe(kept))
