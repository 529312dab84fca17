export {
  type AttemptOutcome,
  attemptOutcomes,
  type DeliveryState,
  deliveryStates,
  neverDueMs,
} from './delivery.ts'
export { ensureAppStream } from './ensure-app-stream.ts'
export { type Events, type EventsDependencies, makeEvents } from './make-events.ts'
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
