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
  token_bound: {
    status: 401,
    title: 'The access token is bound to a key',
    fix: 'Send it as Authorization: DPoP, with a proof for this request in the header DPoP (RFC 9449).',
  },
  token_not_bound: {
    status: 401,
    title: 'The access token is bound to no key',
    fix: 'Send it as Authorization: Bearer.',
  },
  dpop_key_differs: {
    status: 401,
    title: 'The access token is bound to another key than the proof’s',
    fix: 'Sign the proof with the key that the token request was signed with.',
  },
  dpop_proof_refused: {
    status: 401,
    title: 'The DPoP proof does not fit the request',
    fix: 'Make a new proof for every request: its own method, address, token and jti, and the time of now.',
  },
})
