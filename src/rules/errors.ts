import { defineErrors } from '../kernel/index.ts'

export const RulesErrors = defineErrors('rules', {
  app_stopped: {
    status: 403,
    title: 'The platform has stopped this app',
    fix: 'The developer’s notices name the reason and the way to appeal.',
  },
  app_read_only: {
    status: 403,
    title: 'The platform lets this app only read for now',
    fix: 'The developer’s notices name the reason and the way to appeal.',
  },
  scope_dropped: {
    status: 403,
    title: 'The platform has withdrawn this permission from the app',
    fix: 'The developer’s notices name the reason and the way to appeal.',
  },
})
