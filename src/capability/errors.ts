import { defineErrors } from '../kernel/index.ts'

/** What the door itself refuses with: every operation may answer these. */
export const CapabilityErrors = defineErrors('capability', {
  invalid_input: {
    status: 400,
    title: 'The request does not have the required shape',
    fix: 'Mend the places named in errors; each has a JSON pointer.',
  },
  malformed_body: { status: 400, title: 'The body is not valid JSON', fix: 'Send one JSON object in UTF-8.' },
  unauthenticated: {
    status: 401,
    title: 'This needs a valid credential',
    fix: 'Send Authorization: Bearer with a live token for this part of the API.',
  },
  permission_not_granted: {
    status: 403,
    title: 'The merchant has not granted this permission',
    fix: 'Ask for the scope in the manifest and let the merchant agree.',
  },
  outside_bounds: {
    status: 403,
    title: 'The merchant has limited this permission',
    fix: 'Stay within the authorization details of the grant, which GET /v1/installation shows.',
  },
  bound_exceeded: {
    status: 403,
    title: 'The limit that the merchant agreed to does not allow this much',
    fix: 'bound.left says how much is left; ask for no more, or wait until the limit’s day is over.',
  },
  installation_required: {
    status: 403,
    title: 'This needs a token of an installation',
    fix: 'Use the token from the authorization code flow; client credentials act for the app, not for a merchant.',
  },
  role_required: {
    status: 403,
    title: 'Your role does not allow this',
    fix: 'Ask an owner of the organisation for a role that does.',
  },
  wrong_credential: {
    status: 403,
    title: 'This credential is not for this part of the API',
    fix: 'Use an app’s access token under /v1, a person’s token or session elsewhere, the host key under /host/v1.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing here',
    fix: 'Check the id; it may belong to another tenant.',
  },
  method_not_allowed: {
    status: 405,
    title: 'This address does not answer that method',
    fix: 'Use one of the methods named in Allow.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    fix: 'Use a new key for a new request; repeat the same request to get its answer again.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    fix: 'docs/reference/limits.md names the bound of each kind of body.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body’s media type is not accepted here',
    fix: 'Send application/json, or what the operation names in /openapi.json.',
  },
  invalid_output: {
    status: 500,
    title: 'Something went wrong on our side',
    fix: 'Give the request id to the platform staff.',
  },
})
