import { idOf, schema } from '../capability/index.ts'
import { limits, toIso } from '../kernel/index.ts'
import {
  type EndpointView,
  endpointStates,
  type SecretView,
  signatureSchemes,
  stateReasons,
} from './endpoint.ts'
import type { RotatedSecret } from './rotate-secret.ts'

const sequence = schema.integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Without gaps in the stream; the header webhook-sequence',
})
const signingSecret = schema.nullable(
  schema.string({
    maxLength: 80,
    description:
      'whsec_…, shown in this answer only; verify with any Standard Webhooks library. null for v1a: its public key is enough',
  }),
)

const scheme = schema.oneOf(signatureSchemes, {
  description: 'v1: HMAC-SHA256 with a shared secret; v1a: Ed25519 with a public key',
})
const publicKey = schema.nullable(
  schema.string({
    maxLength: 60,
    description: 'whpk_… of a v1a key, also at /.well-known/webhooks.json; null for v1',
  }),
)

const secretMembers = {
  id: idOf('endpointSecret'),
  signature: scheme,
  publicKey,
  createdAt: schema.time(),
  expiresAt: schema.nullable(schema.time({ description: 'null: the current one' })),
}

const EndpointSecret = schema.named('EndpointSecret', schema.object(secretMembers))
export const NewEndpointSecret = schema.named(
  'NewEndpointSecret',
  schema.object({
    id: idOf('endpointSecret'),
    signature: scheme,
    publicKey,
    createdAt: schema.time(),
    secret: signingSecret,
    previousExpiresAt: schema.time({ description: 'Until then both secrets sign' }),
  }),
)

/** What is said about an endpoint when it is made or changed. */
export const endpointInput = {
  url: schema.string({
    minLength: 1,
    maxLength: limits.endpointUrlLengthMax,
    description: 'https; http only for addresses of this machine where the platform allows them',
  }),
  signature: scheme,
  fifo: schema.boolean({
    description: 'Per subject: the next delivery waits until the one before it has ended',
  }),
  ratePerSecond: schema.nullable(
    schema.integer({
      minimum: 1,
      maximum: limits.webhookRatePerSecondMax,
      description: 'Attempts begun per second, at most; null: as many as it bears',
    }),
  ),
}

const endpointMembers = {
  id: idOf('endpoint'),
  appId: idOf('app'),
  url: schema.string({ maxLength: limits.endpointUrlLengthMax }),
  state: schema.oneOf(endpointStates, {
    description:
      'unverified: has not answered the challenge; paused: its deliveries wait; stopped: the receiver wants no more',
  }),
  stateReason: schema.nullable(schema.oneOf(stateReasons, { description: 'Why it is paused or stopped' })),
  fifo: endpointInput.fifo,
  ratePerSecond: endpointInput.ratePerSecond,
  startSequence: sequence,
  verifiedAt: schema.nullable(schema.time({ description: 'When it answered the challenge' })),
  pausedAt: schema.nullable(schema.time()),
  probeAt: schema.nullable(
    schema.time({ description: 'When one delivery tries whether a paused endpoint is back; null: never' }),
  ),
  probeFailures: schema.integer({
    minimum: 0,
    maximum: 2_147_483_647,
    description: 'Failed probes of this pause',
  }),
  lastSuccessAt: schema.nullable(schema.time()),
  failingSince: schema.nullable(schema.time({ description: 'First failure since the last success' })),
  createdAt: schema.time(),
  secrets: schema.array(EndpointSecret, { maxItems: limits.liveSecretsMax }),
}

export const Endpoint = schema.named('Endpoint', schema.object(endpointMembers))
export const NewEndpoint = schema.named(
  'NewEndpoint',
  schema.object({ ...endpointMembers, secret: signingSecret }),
)

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

function toWireSecret({ id, scheme: signature, publicKey: key, createdAtMs, expiresAtMs }: SecretView) {
  return {
    ...{ id, signature, publicKey: key },
    createdAt: toIso(createdAtMs),
    expiresAt: isoOrNull(expiresAtMs),
  }
}

/** A secret that has just been made; the only answer that shows it. */
export function toWireNewSecret({ view, shown, previousExpiresAtMs }: RotatedSecret) {
  const { id, scheme: signature, publicKey: key, createdAtMs } = view
  return {
    ...{ id, signature, publicKey: key, secret: shown },
    createdAt: toIso(createdAtMs),
    previousExpiresAt: toIso(previousExpiresAtMs),
  }
}

/** An endpoint as its developers see it. */
export function toWireEndpoint(view: EndpointView) {
  const { id, appId, url, state, stateReason, fifo, ratePerSecond, probeFailures } = view
  return {
    ...{ id, appId, url, state, stateReason, fifo, ratePerSecond, probeFailures },
    startSequence: Number(view.startSequence),
    verifiedAt: isoOrNull(view.verifiedAtMs),
    pausedAt: isoOrNull(view.pausedAtMs),
    probeAt: isoOrNull(view.probeAtMs),
    lastSuccessAt: isoOrNull(view.lastSuccessAtMs),
    failingSince: isoOrNull(view.failingSinceMs),
    createdAt: toIso(view.createdAtMs),
    secrets: view.secrets.map(toWireSecret),
  }
}
