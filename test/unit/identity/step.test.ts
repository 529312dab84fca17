import { describe, expect, test } from 'vitest'
import { openStep, sealStep } from '../../../src/identity/step/step.ts'

const key = Buffer.alloc(32, 1)
const step = { kind: 'passkey-sign-in', data: { challenge: 'abc' }, boundTo: 'this browser' } as const
const expected = { kind: step.kind, boundTo: step.boundTo, nowMs: 1_000 }
const sealed = sealStep(key, step, 2_000)

describe('a step', () => {
  test('comes back as it was, until its time is over', () => {
    expect(openStep(key, sealed, expected)).toMatchObject({ data: { challenge: 'abc' }, expiresAtMs: 2_000 })
    expect(openStep(key, sealed, { ...expected, nowMs: 1_999 })).not.toBeNull()
    expect(openStep(key, sealed, { ...expected, nowMs: 2_000 })).toBeNull()
  })

  test('shows nothing of what it holds', () => {
    expect(Buffer.from(sealed.slice(3), 'base64url').toString('latin1')).not.toContain('abc')
  })

  test.each([
    ['in another browser', { ...expected, boundTo: 'that browser' }],
    ['in the place of another kind', { ...expected, kind: 'totp-enrolment' } as const],
  ])('is nothing %s', (_where, wrong) => expect(openStep(key, sealed, wrong)).toBeNull())

  test.each(['', 'v1.', 'v2.abc', 'garbage', `${sealed.slice(0, -2)}AA`, `v1.${'A'.repeat(200)}`])(
    'that somebody made up is none: %j',
    (text) => expect(openStep(key, text, expected)).toBeNull(),
  )

  test('under another key is none', () => expect(openStep(Buffer.alloc(32, 2), sealed, expected)).toBeNull())

  test('is one and the same, however base64url spells it', () => {
    const other = `${sealed}=`
    expect(openStep(key, other, expected)?.hash).toBe(openStep(key, sealed, expected)?.hash)
  })
})
