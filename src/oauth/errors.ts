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
  user_code_not_found: {
    status: 404,
    title: 'No device waits for a decision about this code',
    fix: 'Type the code as the device shows it now; a code works once and for 10 minutes.',
  },
  too_many_user_codes: {
    status: 429,
    title: 'Too many wrong codes',
    fix: 'Wait as long as Retry-After says.',
  },
  browser_session_required: {
    status: 403,
    title: 'Only a person in a browser can decide this',
    fix: 'Sign in at /oauth/device and decide there; a token cannot make itself another.',
  },
  installation_not_found: {
    status: 404,
    title: 'There is no such installation',
    fix: 'Check the id; it may belong to another merchant or be uninstalled.',
  },
  person_not_member: {
    status: 404,
    title: 'This person is no member of the merchant',
    fix: 'Name a member, or leave personId out for a session of nobody in particular.',
  },
  authorization_not_found: {
    status: 404,
    title: 'There is no such authorization',
    fix: 'Check the id; it may belong to another app or merchant.',
  },
  request_refused: {
    status: 400,
    title: 'The app’s request cannot be answered',
    fix: 'Go back to the app; if it stays, tell its developer what stands here.',
  },
  not_a_token: {
    status: 422,
    title: 'This is no secret or token of this platform',
    fix: 'Send the whole value and nothing else: its prefix and checksum tell what it is.',
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

/** What an access token may be refused with for the way in which it is presented. */
export const presentedTokenErrors = [
  OAuthErrors.token_bound,
  OAuthErrors.token_not_bound,
  OAuthErrors.dpop_key_differs,
  OAuthErrors.dpop_proof_refused,
]
