import { defineErrors } from '../kernel/index.ts'

export const QueueErrors = defineErrors('queue', {
  unavailable: {
    status: 503,
    title: 'The queue does not answer',
    fix: 'Check REDIS_URL or DATABASE_URL and that the server accepts connections.',
  },
})
