//   create ──▶ active ──410──▶ stopped
//
// stopped: the receiver wants no more; deliveries wait to be pulled. paused is a state of the schema that no operation
// leads to yet: pause, resume, FIFO and adaptive concurrency come with the deepening of events.
export const endpointStates = ['active', 'paused', 'stopped'] as const

export type EndpointState = (typeof endpointStates)[number]

/** A secret of an endpoint, without the secret. */
export interface SecretView {
  readonly id: string
  readonly createdAtMs: number
  /** Null: the current one. */
  readonly expiresAtMs: number | null
}

/** Where an app's backend wants its events. */
export interface EndpointView {
  readonly id: string
  readonly publisherId: string
  readonly appId: string
  readonly streamId: string
  readonly url: string
  readonly state: EndpointState
  readonly stateReason: string | null
  /** The first sequence number that is sent here. */
  readonly startSequence: bigint
  readonly lastSuccessAtMs: number | null
  /** First failure since the last success. */
  readonly failingSinceMs: number | null
  readonly createdAtMs: number
  /** Live ones, newest first. */
  readonly secrets: readonly SecretView[]
}
