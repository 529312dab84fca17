import { defineErrors } from '../kernel/index.ts'

export const HttpErrors = defineErrors('http', {
  not_found: {
    status: 404,
    title: 'There is nothing at this address',
    fix: 'Check the address; /openapi.json describes the API, / leads to the pages.',
  },
  csrf_refused: {
    status: 403,
    title: 'The form did not come from our own page',
    fix: 'Open the page again and send its form; programs use a personal token instead of the session cookie.',
  },
  origin_refused: {
    status: 403,
    title: 'A WebSocket is for an app’s server, not for a browser',
    fix: 'Connect from your server, without the header Origin; a browser must never hold the app’s token.',
  },
  quota_exceeded: {
    status: 429,
    title: 'Too many requests in too short a time',
    fix: 'Wait the seconds named in Retry-After; RateLimit-Policy says how many requests fit in how long.',
  },
  too_many_sockets: {
    status: 429,
    title: 'Too many WebSockets of this app are open here',
    fix: 'Close some, or share the merchants among fewer by partition.',
  },
  no_room_for_sockets: {
    status: 503,
    title: 'Too many WebSockets are open here',
    fix: 'Try again after the seconds named in Retry-After; GET /v1/deliveries gives the same.',
  },
  bad_request: {
    status: 400,
    title: 'The request cannot be read',
    fix: 'Check the address, the headers and the encoding of the body.',
  },
})
