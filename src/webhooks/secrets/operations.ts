import { defineOperation, idOf, type Operation, schema } from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'
import { appId, editors, endpointId, endpointPath } from '../access.ts'
import type { WebhooksDependencies } from '../dependencies.ts'
import { WebhooksErrors } from '../errors.ts'
import { rotateSecret } from '../rotate-secret.ts'
import { endpointInput, NewEndpointSecret, toWireNewSecret } from '../wire.ts'
import { listPublicKeys, type PublicKey } from './store.ts'

function secretRotate(deps: WebhooksDependencies): Operation {
  return defineOperation({
    id: 'endpoint.rotate_secret',
    summary: 'Give an endpoint a new signing secret',
    description:
      'Until previousExpiresAt every request carries two signatures, so that a receiver can change over without missing one.',
    method: 'POST',
    path: `${endpointPath}/secrets`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      appId,
      endpointId,
      signature: schema.optional(endpointInput.signature),
      overlapSeconds: schema.optional(
        schema.integer({
          minimum: 0,
          maximum: limits.webhookSecretOverlapMsMax / 1000,
          description: 'How long the present secret still signs; a day when not given',
        }),
      ),
    }),
    output: NewEndpointSecret,
    status: 201,
    errors: [WebhooksErrors.endpoint_not_found],
    async handle({ tx, tenantIds, input, clock, random }) {
      const { overlapSeconds, signature } = input
      const overlapMs = overlapSeconds === undefined ? null : overlapSeconds * 1000
      const which = { appId: input.appId, endpointId: input.endpointId, publisherIds: tenantIds }
      const rotation = { ...which, overlapMs, scheme: signature ?? null }
      return toWireNewSecret(await rotateSecret(tx, deps, rotation, { clock, random }))
    },
  })
}

const text = (maxLength: number) => schema.string({ maxLength })

// RFC 7517 §4 and §5: members that an implementation does not know "MUST be ignored", so `endpoint` and `nextCursor`
// disturb no library.
const WebhookKeys = schema.named(
  'WebhookKeys',
  schema.object({
    keys: schema.array(
      schema.object({
        kty: schema.oneOf(['OKP']),
        crv: schema.oneOf(['Ed25519']),
        x: text(43),
        kid: idOf('endpointSecret'),
        use: schema.oneOf(['sig']),
        alg: schema.oneOf(['EdDSA']),
        endpoint: idOf('endpoint'),
      }),
      { maxItems: limits.webhookKeysMax },
    ),
    nextCursor: schema.nullable(text(30)),
  }),
)

function toWireKey({ id, endpointId: endpoint, jwk }: PublicKey) {
  return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, kid: id, use: 'sig', alg: 'EdDSA', endpoint } as const
}

const keysRead = defineOperation({
  id: 'webhook.keys',
  summary: 'The public keys of v1a signatures, as a JSON Web Key Set',
  description:
    'Ask for one endpoint: a signature by another endpoint’s key proves nothing to yours. Without it all live keys, in pages.',
  method: 'GET',
  path: '/.well-known/webhooks.json',
  audience: 'public',
  access: { kind: 'public' },
  kind: 'read',
  cacheMs: limits.webhookKeysCacheMs,
  input: schema.object({
    endpoint: schema.optional(idOf('endpoint')),
    after: schema.optional(idOf('endpointSecret')),
  }),
  output: WebhookKeys,
  errors: [],
  async handle({ queries, input, clock }) {
    const rows = await listPublicKeys(queries, {
      endpointId: input.endpoint ?? null,
      afterId: input.after ?? null,
      nowMs: clock.nowMs(),
      rowsMax: limits.webhookKeysMax + 1,
    })
    const shown = rows.slice(0, limits.webhookKeysMax)
    return {
      keys: shown.map(toWireKey),
      nextCursor: rows.length > shown.length ? (shown.at(-1)?.id ?? null) : null,
    }
  },
})

/** What signs for endpoints, and what verifies it. */
export function secretOperations(deps: WebhooksDependencies): readonly Operation[] {
  return [secretRotate(deps), keysRead]
}
