import { defineErrors } from '../kernel/index.ts'

export const WebhooksErrors = defineErrors('webhooks', {
  app_not_found: {
    status: 404,
    title: 'There is no such app',
    fix: 'Check the id; it may belong to another publisher.',
  },
  endpoint_not_found: {
    status: 404,
    title: 'There is no such endpoint',
    fix: 'Check the id; it may belong to another publisher.',
  },
  delivery_not_found: {
    status: 404,
    title: 'There is no such delivery',
    fix: 'Check the id; it may belong to another publisher.',
  },
  endpoint_exists: {
    status: 409,
    title: 'The app has an endpoint already',
    fix: 'Delete it first, or rotate its secret; an app has one endpoint for its stream.',
  },
  app_has_no_backend: {
    status: 409,
    title: 'An app of the class mini-program has no backend',
    fix: 'Its handlers get the events; for a webhook register an app of the class backend or both.',
  },
  endpoint_not_verified: {
    status: 409,
    title: 'Nobody has proven yet that the endpoint wants these events',
    fix: 'Let it answer the challenge: POST …/endpoints/{endpointId}:verify.',
  },
  endpoint_stopped: {
    status: 409,
    title: 'The endpoint has stopped for good',
    fix: 'Its receiver asked for that. Delete the endpoint and register one again.',
  },
  challenge_failed: {
    status: 422,
    title: 'The endpoint did not answer the challenge',
    fix: 'Let the receiver answer 2xx with the text of data.challenge, or with JSON {"challenge": "…"}, and verify again.',
  },
  challenged_too_often: {
    status: 429,
    title: 'The endpoint was challenged a moment ago',
    fix: 'Try again after the seconds named in Retry-After.',
  },
  no_endpoint: {
    status: 409,
    title: 'The app has no endpoint to send to',
    fix: 'Register one: POST …/endpoints.',
  },
  delivery_pending: {
    status: 409,
    title: 'The delivery waits to be sent by itself',
    fix: 'Let its turn come, or take it out of the line first: POST …/deliveries/{deliveryId}:skip.',
  },
  delivery_finished: {
    status: 409,
    title: 'The delivery does not wait any more',
    fix: 'Look at its state; only a pending or waiting delivery can be skipped.',
  },
  delivery_of_handler: {
    status: 409,
    title: 'The delivery belongs to a handler, not to an endpoint',
    fix: 'Only what goes to a backend can be sent again.',
  },
  permission_withdrawn: {
    status: 409,
    title: 'The merchant’s permission does not cover this event any more',
    fix: 'Ask the merchant for the scope, or to install the app again.',
  },
  event_gone: {
    status: 409,
    title: 'The event is no longer kept in a form that may be sent',
    fix: 'Read the present state by the API.',
  },
  deliveries_held: {
    status: 409,
    title: 'The platform holds this app’s deliveries back',
    fix: 'Look for a notice of the platform; they go on when its rule is lifted.',
  },
  replay_not_found: {
    status: 404,
    title: 'There is no such replay',
    fix: 'Check the id; it may belong to another publisher.',
  },
  replay_running: {
    status: 409,
    title: 'A replay of this app is still running',
    fix: 'Wait for its end, or cancel it: POST …/replays/{replayId}:cancel.',
  },
  replay_ended: {
    status: 409,
    title: 'The replay has ended',
    fix: 'Nothing; it sends nothing any more.',
  },
  event_type_not_requested: {
    status: 422,
    title: 'The app’s newest version could not get an event of this type',
    fix: 'Name the type in stoa_events of the manifest, and the scope it needs in stoa_scopes.',
  },
  url_refused: {
    status: 422,
    title: 'This address cannot be an endpoint',
    fix: 'Use https and a public host name.',
  },
})

/** Why an attempt at an endpoint failed: `error` of the attempt. A code is a promise. */
export const webhookFailures = {
  'webhooks.timeout': {
    title: 'The endpoint did not answer in time',
    fix: 'Answer 2xx at once and do the work afterwards; the body counts too.',
  },
  'webhooks.connect': {
    title: 'No connection to the endpoint came about',
    fix: 'Check that the server runs and that its port is open to the internet.',
  },
  'webhooks.reset': {
    title: 'The connection broke before the answer was complete',
    fix: 'Look for a crash or a proxy that closes connections.',
  },
  'webhooks.dns': {
    title: 'The endpoint’s host name could not be looked up',
    fix: 'Check the name and its DNS records.',
  },
  'webhooks.tls': {
    title: 'The endpoint’s certificate or its TLS is not acceptable',
    fix: 'Serve a valid certificate for this host name with its whole chain.',
  },
  'webhooks.address_refused': {
    title: 'The endpoint’s address is not public; it is not tried again',
    fix: 'Register a URL with a public host name.',
  },
  'webhooks.name_refused': {
    title: 'The endpoint’s host name leads to an address that is not public',
    fix: 'Let every DNS record of the name be a public address; it is tried again.',
  },
  'webhooks.redirect': {
    title: 'The endpoint answered with a redirect, which is not followed',
    fix: 'Register the URL that the redirect leads to.',
  },
  'webhooks.status_not_2xx': {
    title: 'The endpoint answered with a status other than 2xx',
    fix: 'Look at the status and the response of the attempt; only 2xx counts as received.',
  },
  'webhooks.gone': {
    title: 'The endpoint answered 410 and was stopped',
    fix: 'Delete the endpoint and register one again; what it has not got waits to be pulled.',
  },
  'webhooks.disabled': {
    title: 'The endpoint answered with webhook-delivery: disable and was stopped',
    fix: 'Delete the endpoint and register one again; what it has not got waits to be pulled.',
  },
  'webhooks.message_aborted': {
    title: 'The endpoint answered with webhook-delivery: abort-message; this delivery is not tried again',
    fix: 'Nothing, if that is what the receiver wants; else leave the header out and send the delivery again.',
  },
} as const

export type WebhookFailureCode = keyof typeof webhookFailures
