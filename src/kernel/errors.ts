/** One row of a part's error table. */
export interface ErrorDefinition {
  /** HTTP status. 5xx but 503: `detail` never leaves the log. */
  readonly status: number
  /** Short, the same for every occurrence, for people. */
  readonly title: string
  /** What to do about it; shown in docs/reference/errors.md and, when `detail` is silent, to the caller. */
  readonly fix?: string
}

/** One place in the caller's input that is wrong. `pointer` is an RFC 6901 JSON pointer into what was sent. */
export interface InputProblem {
  readonly pointer: string
  readonly code: string
  readonly message: string
  readonly fix?: string
}

export interface ErrorOptions {
  /** For the log only. */
  readonly cause?: unknown
  readonly errors?: readonly InputProblem[]
  /** Extra members of the problem document (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, unknown>>
  /** Extra response headers, lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
}

/** An expected failure with a stable code. Everything else that is thrown is a 500 `kernel.unexpected`. */
export class StoaError extends Error {
  override readonly name = 'StoaError'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly options: ErrorOptions

  constructor(code: string, definition: ErrorDefinition, detail: string, options: ErrorOptions = {}) {
    super(detail, { cause: options.cause })
    this.code = code
    this.status = definition.status
    this.title = definition.title
    this.options = options
  }
}

export type ErrorFactory = ((detail?: string, options?: ErrorOptions) => StoaError) & {
  readonly code: string
  readonly definition: ErrorDefinition
}

export type ErrorTable<Names extends string> = { readonly [Name in Names]: ErrorFactory }

const allErrors = new Map<string, ErrorDefinition>()

/**
 * Declares a part's errors: `defineErrors('registry', { version_not_approved: { status: 409, title: '…' } })`
 * gives `RegistryErrors.version_not_approved(detail?)` with the code `registry.version_not_approved`.
 */
export function defineErrors<Names extends string>(
  part: string,
  table: Readonly<Record<Names, ErrorDefinition>>,
): ErrorTable<Names> {
  const factories: Record<string, ErrorFactory> = {}
  for (const [name, definition] of Object.entries<ErrorDefinition>(table)) {
    const code = `${part}.${name}`
    allErrors.set(code, definition)
    const make = (detail?: string, options?: ErrorOptions) =>
      new StoaError(code, definition, detail ?? definition.fix ?? definition.title, options)
    factories[name] = Object.assign(make, { code, definition })
  }
  return factories as ErrorTable<Names>
}

/** Every code declared by the parts loaded so far, sorted: the source of docs/reference/errors.md. */
export function listErrors(): readonly (readonly [string, ErrorDefinition])[] {
  return [...allErrors].sort(([a], [b]) => (a < b ? -1 : 1))
}

export const KernelErrors = defineErrors('kernel', {
  unexpected: {
    status: 500,
    title: 'Something went wrong on our side',
    fix: 'Try again; if it stays, give the request id to the platform staff.',
  },
  unavailable: {
    status: 503,
    title: 'The platform cannot answer right now',
    fix: 'Try again after the seconds named in Retry-After.',
  },
  invalid_configuration: {
    status: 500,
    title: 'The configuration is not usable',
    fix: 'Mend the environment variable that is named; docs/reference/configuration.md lists them all.',
  },
  address_refused: {
    status: 422,
    title: 'The address is not allowed as the target of a request',
    fix: 'Use a public host name; private, loopback and link-local addresses are refused.',
  },
})
