import { setTimeout as sleep } from 'node:timers/promises'
import { stop, type TransformFailure, transform } from 'esbuild'
import { KernelErrors, limits } from '../kernel/index.ts'

/** One place in a script that is not JavaScript; lines and columns count from 1. */
export interface SyntaxProblem {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type ScriptCheckResult =
  | { readonly kind: 'ok' }
  | { readonly kind: 'syntax'; readonly problems: readonly SyntaxProblem[] }
  | { readonly kind: 'too_complex' }

const problemsMax = 10
// A message may quote a name, and a name may be as long as the script.
const messageLengthMax = 200

function isTransformFailure(error: unknown): error is TransformFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors) && error.errors.length > 0
}

async function parse(source: string): Promise<ScriptCheckResult> {
  try {
    await transform(source, { loader: 'js', target: 'esnext', logLevel: 'silent', logLimit: problemsMax })
    return { kind: 'ok' }
  } catch (error) {
    // Anything but a list of places means that the parser died of this source.
    if (!isTransformFailure(error)) return { kind: 'too_complex' }
    const problems = error.errors.map(({ text, location }) => ({
      line: location?.line ?? 1,
      column: (location?.column ?? 0) + 1,
      message: text.slice(0, messageLengthMax),
    }))
    return { kind: 'syntax', problems }
  }
}

let last: Promise<unknown> = Promise.resolve()
let waiting = 0

async function parseAlone(source: string): Promise<ScriptCheckResult> {
  // Starts the process: how long that takes says something about this machine and nothing about the script.
  await transform('')
  const timer = new AbortController()
  const late = sleep(limits.scriptCheckMs, { kind: 'too_complex' } as const, { signal: timer.signal })
  late.catch(() => undefined)
  try {
    return await Promise.race([parse(source), late])
  } finally {
    timer.abort()
    await stop()
  }
}

/**
 * Whether a text is JavaScript; nothing of it runs. The parser is a process of its own that lives for one script: 5,000
 * nested arrow functions keep it busy for more than 60 s, and 500 KB of opening brackets crash it. So it is killed after
 * `limits.scriptCheckMs`, and scripts are parsed one after the other, so that no other script dies with it.
 * @throws kernel.unavailable when `limits.scriptChecksWaitingMax` scripts wait already
 */
export async function checkScript(source: string): Promise<ScriptCheckResult> {
  if (waiting >= limits.scriptChecksWaitingMax) {
    throw KernelErrors.unavailable('too many packages are being read; try again', {
      headers: { 'retry-after': '5' },
    })
  }
  waiting += 1
  const result = last.then(() => parseAlone(source))
  last = result.catch(() => undefined)
  try {
    return await result
  } finally {
    waiting -= 1
  }
}
