export { openRedis } from './backend.ts'
export { makeQueue, type Queue, type QueueOptions } from './queue.ts'
