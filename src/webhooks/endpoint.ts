//   create ──▶ unverified ──verify──▶ active ──pause──▶ paused ──resume──▶ active
//          └──(this machine)───────▶ active                (a person, or a probe that was answered)
//
//   active, paused ──stop──▶ stopped          410, or webhook-delivery: disable; only deleting leads out
//   unverified, active, paused ──move──▶ unverified, or active on this machine: another URL is proven anew
//
// Deliveries of unverified and paused endpoints wait for them; those of a stopped one wait to be pulled.
export const endpointStates = ['unverified', 'active', 'paused', 'stopped'] as const

export type EndpointState = (typeof endpointStates)[number]

export const endpointSteps = ['verify', 'pause', 'resume', 'stop', 'move', 'move_here'] as const

/** `move`: to another URL; `move_here`: to one of this machine, which needs no proof. */
export type EndpointStep = (typeof endpointSteps)[number]

// What is not named is refused. A step that changes nothing is none to refuse: a repeated call gets the same answer.
const steps: { readonly [S in EndpointState]: { readonly [T in EndpointStep]?: EndpointState } } = {
  unverified: { verify: 'active', move: 'unverified', move_here: 'active' },
  active: {
    verify: 'active',
    pause: 'paused',
    resume: 'active',
    stop: 'stopped',
    move: 'unverified',
    move_here: 'active',
  },
  paused: {
    verify: 'paused',
    pause: 'paused',
    resume: 'active',
    stop: 'stopped',
    move: 'unverified',
    move_here: 'active',
  },
  stopped: {},
}

/** The state machine: where a step leads, or null when the endpoint cannot take it. */
export function next(state: EndpointState, step: EndpointStep): EndpointState | null {
  return steps[state][step] ?? null
}

/**
 * Why an endpoint is paused (failing: too long without a 2xx; exhausted: a delivery has no attempt left;
 * address_refused; requested: by a person) or stopped (gone: 410; disabled: the header).
 */
export const stateReasons = [
  'failing',
  'exhausted',
  'address_refused',
  'requested',
  'gone',
  'disabled',
] as const

export type StateReason = (typeof stateReasons)[number]
export type PauseReason = Extract<StateReason, 'failing' | 'exhausted' | 'address_refused'>
export type StopReason = Extract<StateReason, 'gone' | 'disabled'>

/** How requests are signed: HMAC-SHA256 with a shared secret, or Ed25519 with a public key. */
export const signatureSchemes = ['v1', 'v1a'] as const

export type SignatureScheme = (typeof signatureSchemes)[number]

/** A secret of an endpoint, without the secret. */
export interface SecretView {
  readonly id: string
  readonly scheme: SignatureScheme
  /** `whpk_…` of a v1a key; null for v1. */
  readonly publicKey: string | null
  readonly createdAtMs: number
  /** Null: the current one. */
  readonly expiresAtMs: number | null
}

/** What its developers decide about how it is sent to. */
export interface EndpointSettings {
  readonly fifo: boolean
  /** Attempts begun per second, at most; null: as many as it bears. */
  readonly ratePerSecond: number | null
}

/** Where an app's backend wants its events. */
export interface EndpointView extends EndpointSettings {
  readonly id: string
  readonly publisherId: string
  readonly appId: string
  readonly streamId: string
  readonly url: string
  readonly state: EndpointState
  readonly stateReason: StateReason | null
  /** The first sequence number that is sent here. */
  readonly startSequence: bigint
  readonly verifiedAtMs: number | null
  readonly pausedAtMs: number | null
  /** When one delivery tries whether a paused endpoint is back; null: a person resumes it. */
  readonly probeAtMs: number | null
  readonly probeFailures: number
  readonly lastSuccessAtMs: number | null
  /** First failure since the last success. */
  readonly failingSinceMs: number | null
  readonly createdAtMs: number
  /** Live ones, newest first. */
  readonly secrets: readonly SecretView[]
}
