export { webhooksCapability } from './operations.ts'
export { makeWakeReplay, startReplayJobs } from './replay/jobs.ts'
export { makeReplayer, type Replayer } from './replay/replayer.ts'
export { webhookSink } from './webhook-sink.ts'
