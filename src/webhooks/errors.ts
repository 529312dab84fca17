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
} as const

export type WebhookFailureCode = keyof typeof webhookFailures
