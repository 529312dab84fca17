export { accessLogCapability } from './operations.ts'
export { makeRecorder } from './recorder.ts'
