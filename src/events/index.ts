export type { Again, AgainResult } from './again/send-again.ts'
export type { AgainFilter } from './again/store.ts'
export {
  type AttemptOutcome,
  attemptOutcomes,
  type DeliveryState,
  deliveryStates,
  type Ending,
  neverDueMs,
} from './delivery.ts'
export { newBucket, refill, take, waitMs } from './drain/bucket.ts'
export type { AttemptRecord } from './drain/record/store.ts'
export type { DueDelivery } from './drain/store.ts'
export { ensureAppStream } from './ensure-app-stream.ts'
export { type Events, type EventsDependencies, makeEvents } from './make-events.ts'
export { eventsCapability } from './operations.ts'
export { streamCapability } from './pull/operations.ts'
export { makeRetention } from './retention/retention.ts'
export {
  type Outcome,
  type OutgoingDelivery,
  type Receiver,
  type RecordedResult,
  type Sink,
  type SinkKind,
  sinkKinds,
} from './sink.ts'
export { leaveToPull, lockStream } from './store.ts'
export { endSubscriptions, subscribe } from './subscribe.ts'
export { testEventText } from './test-event.ts'
