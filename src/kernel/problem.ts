import { type InputProblem, KernelErrors, StoaError } from './errors.ts'

/** RFC 9457 problem details, media type application/problem+json. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** Stable, `part.what_went_wrong`: what programs should branch on. */
  readonly code: string
  readonly requestId?: string
  readonly errors?: readonly InputProblem[]
  readonly [member: string]: unknown
}

/**
 * The problem document of an error. Anything that is not a StoaError is `kernel.unexpected`, and the detail of a
 * 5xx is the fixed sentence of its table row: causes, stack traces and SQL never leave the log.
 */
export function toProblem(error: unknown, requestId?: string): Problem {
  const known = error instanceof StoaError ? error : KernelErrors.unexpected()
  return {
    // RFC 9457 §3.1.1: a URI reference that identifies the problem type; ours point at the generated table.
    type: `/docs/errors#${known.code}`,
    title: known.title,
    status: known.status,
    detail: known.status >= 500 && known.status !== 503 ? known.title : known.message,
    code: known.code,
    ...(requestId === undefined ? {} : { requestId }),
    ...(known.options.errors === undefined ? {} : { errors: known.options.errors }),
    ...known.options.members,
  }
}
