import { defineErrors } from '../kernel/index.ts'

export const OAuthErrors = defineErrors('oauth', {
  secret_key_wrong: {
    status: 500,
    title: 'The secret key is not the one this database was sealed with',
    fix: 'Start with the STOA_SECRET_KEY that this database was first started with (embedded: secret.key of the data folder).',
  },
  interaction_not_found: {
    status: 404,
    title: 'This sign-in or consent has ended',
    fix: 'Go back to the app and start again.',
  },
  request_refused: {
    status: 400,
    title: 'The app’s request cannot be answered',
    fix: 'Go back to the app; if it stays, tell its developer what stands here.',
  },
})
