import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { keysByState, retiresAtMsOf, signsFromMsOf } from '../../../src/oauth/signing-key/signing-key.ts'

const nowMs = 1_000_000_000
const old = { kid: 'old', signsFromMs: 0, retiredAtMs: null }

/** Names with their states at a time, the one that signs first. */
function at(timeMs: number, keys: Parameters<typeof keysByState>[0]): string {
  return keysByState(keys, timeMs)
    .map(({ kid, state }) => `${kid} ${state}`)
    .join(', ')
}

describe('a signing key', () => {
  const signsFromMs = signsFromMsOf(nowMs)
  const retiredAtMs = retiresAtMsOf(signsFromMs)
  const keys = [
    { ...old, retiredAtMs },
    { kid: 'new', signsFromMs, retiredAtMs: null },
  ]

  test('is published before it signs and stays published after', () => {
    expect(at(nowMs, [old])).toBe('old current')
    expect(at(signsFromMs - 1, keys)).toBe('old current, new next')
    expect(at(signsFromMs, keys)).toBe('new current, old previous')
    expect(at(retiredAtMs - 1, keys)).toBe('new current, old previous')
    expect(at(retiredAtMs, keys)).toBe('new current')
  })

  test('signs when every set that was kept before it was published has been thrown away', () => {
    expect(signsFromMs - nowMs).toBeGreaterThanOrEqual(limits.jwksCacheMs + limits.signingKeysFreshMs)
  })

  test('is published for as long as anything lives that a process could have signed with it', () => {
    expect(retiredAtMs - signsFromMs).toBeGreaterThanOrEqual(limits.idTokenMs + limits.signingKeysFreshMs)
  })
})
