import { seal, sha256Hex, unseal } from '../../kernel/index.ts'

/** What a sign-in or an enrolment has to remember until the browser comes back with the rest. */
interface StepData {
  /** The password or the provider's word was right; the code is missing. */
  readonly 'second-factor': {
    readonly personId: string
    /** Of the password's hash; null: the provider's word. A changed password ends what began with the old one. */
    readonly passwordMark: string | null
  }
  readonly 'totp-enrolment': { readonly secret: string }
  readonly 'passkey-registration': { readonly challenge: string; readonly name: string }
  readonly 'passkey-sign-in': { readonly challenge: string }
}

export type StepKind = keyof StepData

export interface Step<K extends StepKind> {
  readonly kind: K
  readonly data: StepData[K]
  /** Whoever may come back with it: a person's id, or the cookie that a browser's forms are bound to. */
  readonly boundTo: string
}

export interface OpenedStep<K extends StepKind> {
  readonly data: StepData[K]
  /** Names the step when it is spent. */
  readonly hash: string
  readonly expiresAtMs: number
}

interface Sealed {
  readonly data: unknown
  readonly expiresAtMs: number
}

function contextOf({ kind, boundTo }: Pick<Step<StepKind>, 'kind' | 'boundTo'>): string {
  return JSON.stringify([kind, boundTo])
}

/**
 * A step as the browser carries it: in a hidden field or a cookie. Nothing is stored until it is spent, so a page that
 * strangers may open leaves no row behind.
 */
export function sealStep<K extends StepKind>(key: Uint8Array, step: Step<K>, expiresAtMs: number): string {
  return seal(key, JSON.stringify({ data: step.data, expiresAtMs } satisfies Sealed), contextOf(step))
}

/** What a step of this kind holds; null when it is none of ours, of another browser or person, or over. */
export function openStep<K extends StepKind>(
  key: Uint8Array,
  sealed: string,
  expected: Pick<Step<K>, 'kind' | 'boundTo'> & { readonly nowMs: number },
): OpenedStep<K> | null {
  const context = contextOf(expected)
  let text: string
  try {
    text = unseal(key, sealed, context)
  } catch {
    return null
  }
  const { data, expiresAtMs } = JSON.parse(text) as Sealed
  if (expiresAtMs <= expected.nowMs) return null
  // Of what was inside: the same step can be spelled in several ways outside (base64url has unused bits).
  return { data: data as StepData[K], hash: sha256Hex(context + text), expiresAtMs }
}
