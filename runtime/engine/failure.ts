import type { RunFailure, RunFailureCode } from '../abi/index.ts'
import { runFailures } from './errors.ts'
import { printable } from './text.ts'

/** A failure with the code's own sentence. */
export function failure(code: RunFailureCode, message: string = runFailures[code].title): RunFailure {
  return { kind: 'failed', code, message }
}

/** The engine's own errors; whatever else a program throws is its own affair. */
const engineErrorCodes: ReadonlyMap<string, RunFailureCode> = new Map([
  ['out of memory', 'sandbox.memory_exceeded'],
  ['stack overflow', 'sandbox.stack_exceeded'],
])

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function ownText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

// A program may write into `stack` what it likes: only lines shaped like a frame pass. The bootstrap's own do not,
// nor the native call through which it enters the handler.
function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at .{1,300}$/.test(line) && !line.includes(`(${guestFileName}:`))
    .slice(0, 20)
    .join('\n')
    .replace(/(^|\n) {4}at apply \(native\)$/, '')
}

/** The bootstrap's name in stacks. */
export const guestFileName = 'stoa:guest'

/**
 * What was thrown, from the description that the bootstrap made inside the guest: three capped texts, never an object
 * of the guest's. A program can pass its own error off as the engine's; that changes nothing but its own report.
 */
export function thrownFailure(description: unknown): RunFailure {
  const thrown = isRecord(description) ? description : {}
  const [name, message, code] = [ownText(thrown['name']), ownText(thrown['message']), ownText(thrown['code'])]
  const own = thrown['internal'] === true ? engineErrorCodes.get(message) : undefined
  const title = [name, code === '' ? '' : `[${code}]`].filter((part) => part !== '').join(' ')
  const said = [title, message].filter((part) => part !== '').join(': ')
  const stack = printable(framesOf(ownText(thrown['stack'])))
  return {
    ...failure(own ?? 'sandbox.handler_threw', own === undefined ? printable(said) : runFailures[own].title),
    ...(stack === '' ? {} : { stack }),
  }
}
