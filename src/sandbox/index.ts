export { sandboxSink } from './sandbox-sink.ts'
