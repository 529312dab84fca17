import { defineErrors } from '../kernel/index.ts'

export const NoticesErrors = defineErrors('notices', {
  not_found: {
    status: 404,
    title: 'There is no such notice',
    fix: 'Check the id; it may belong to another publisher.',
  },
})
