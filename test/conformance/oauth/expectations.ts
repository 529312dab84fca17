import { expect } from 'vitest'
import type { Reply } from './actor.ts'

/** For `toMatch`, which does not take a missing value for a mismatch. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** RFC 6749 §5.2: a JSON object with `error`. */
export function expectError(reply: Reply, status: number, error: string): void {
  expect([reply.status, reply.json['error']], reply.text).toEqual([status, error])
}

export function expectOk(reply: Reply): void {
  expect(reply.status, reply.text).toBe(200)
}

/** The authorization went on to a page of the platform. */
export function expectPage(reply: Reply): void {
  expect([reply.status, reply.headers['location']]).toEqual([
    303,
    expect.stringMatching(/^\/(sign-in|consent)\//),
  ])
}

/** An error page of the platform, and no way to anybody else. */
export function expectErrorPage(reply: Reply): void {
  expect([reply.status, reply.headers['location']]).toEqual([400, undefined])
  expect(textOf(reply.headers['content-type'])).toMatch(/^text\/html/)
}

/** The parameters with which an answer leads back to the app. */
export function backOf(reply: Reply): URLSearchParams {
  const { location } = reply.headers
  expect(reply.status).toBe(303)
  expect(textOf(location)).toMatch(/^https?:/)
  return new URL(location ?? '').searchParams
}

/** The answer leads back to the app with this error and no code. */
export function expectErrorBack(reply: Reply, error: string): void {
  const back = backOf(reply)
  expect([back.get('error'), back.get('code')]).toEqual([error, null])
}

/** RFC 6749 §4.1.2.1, §5.2 and RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E */
export const plainAscii = /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/
