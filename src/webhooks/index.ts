export { webhooksCapability } from './operations.ts'
export { webhookSink } from './webhook-sink.ts'
