export { makeQueue, type Queue, type QueueOptions } from './queue.ts'
