import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thrownFailure } from '../../../runtime/engine/failure.ts'
import { makeLogBuffer } from '../../../runtime/engine/logs.ts'
import { seedWords } from '../../../runtime/engine/seed.ts'
import { cutToBytes, parseGuestJson, printable, utf8Length } from '../../../runtime/engine/text.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 200 })

describe('utf8Length', () => {
  it('is what Node would write', () => {
    fc.assert(fc.property(anyText, (text) => utf8Length(text) === Buffer.byteLength(text)))
    expect(utf8Length('\ud800')).toBe(Buffer.byteLength('\ud800'))
    expect(utf8Length('\ud83dx\udc00')).toBe(Buffer.byteLength('\ud83dx\udc00'))
  })
})

describe('cutToBytes', () => {
  it('keeps the longest beginning that fits, never half a character', () => {
    fc.assert(
      fc.property(anyText, fc.nat(300), (text, bytesMax) => {
        const kept = cutToBytes(text, bytesMax)
        expect(utf8Length(kept)).toBeLessThanOrEqual(bytesMax)
        expect(text.startsWith(kept)).toBe(true)
        expect(kept).not.toMatch(/\p{Cs}/u)
        if (Buffer.byteLength(text) <= bytesMax) expect(kept).toBe(text)
        else expect(utf8Length(kept)).toBeGreaterThan(bytesMax - 4)
      }),
    )
  })
})

describe('printable', () => {
  it('escapes what a terminal or a database would act on', () => {
    expect(printable('a\0\x1b[31m\x7f\u0085\u2028\u202e\ud800 \n\té😀')).toBe(
      'a\\x00\\x1b[31m\\x7f\\x85\\u2028\\u202e\\ud800 \n\té😀',
    )
  })
})

describe('parseGuestJson', () => {
  it('drops __proto__ however it is spelled, and nothing else', () => {
    for (const text of ['{"__proto__":{"a":1},"b":{"__proto__":1}}', '{"\\u005f_proto__":{"a":1},"b":{}}']) {
      expect(JSON.stringify(parseGuestJson(text)?.value)).toBe('{"b":{}}')
    }
    expect(parseGuestJson('{"constructor":1,"prototype":2,"text":"__proto__"}')?.value).toEqual({
      constructor: 1,
      prototype: 2,
      text: '__proto__',
    })
  })

  it('refuses what is not JSON and what is nested too deeply', () => {
    for (const text of ['', '{', 'undefined', '['.repeat(100_000), `${'['.repeat(65)}${']'.repeat(65)}`]) {
      expect(parseGuestJson(text)).toBeUndefined()
    }
    expect(parseGuestJson(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeDefined()
  })
})

describe('makeLogBuffer', () => {
  it('keeps whole characters up to its bytes and says what it dropped', () => {
    const logs = makeLogBuffer(10)
    expect([logs.append('éé'), logs.append('漢漢'), logs.append('x')]).toEqual(['éé\n', '漢', ''])
    expect([logs.text, logs.truncated, logs.isFull()]).toEqual(['éé\n漢', true, true])
  })
})

describe('thrownFailure', () => {
  it('takes three texts and nothing else', () => {
    expect(thrownFailure(undefined)).toMatchObject({ code: 'sandbox.handler_threw', message: '' })
    expect(thrownFailure({ name: 1, message: {}, stack: [], code: null })).not.toHaveProperty('stack')
    expect(thrownFailure({ name: 'InternalError', message: 'out of memory', internal: false }).code).toBe(
      'sandbox.handler_threw',
    )
    expect(thrownFailure({ name: 'InternalError', message: 'out of memory', internal: true }).code).toBe(
      'sandbox.memory_exceeded',
    )
  })
})

describe('seedWords', () => {
  it('differ with the text and are never all zero', () => {
    expect(seedWords('a')).toEqual(seedWords('a'))
    const all = new Set(['', 'a', 'b', 'aa', 'ab', '\0'].map((seed) => seedWords(seed).join()))
    expect(all.size).toBe(6)
    fc.assert(fc.property(anyText, (text) => seedWords(text).some((word) => word !== 0)))
  })
})
