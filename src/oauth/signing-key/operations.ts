import { type Capability, defineCapability, defineOperation, schema } from '../../capability/index.ts'
import { type Transaction, toIso } from '../../kernel/index.ts'
import type { SigningKeyView } from './signing-keys.ts'

export interface SigningKeysDependencies {
  listSigningKeys(): Promise<readonly SigningKeyView[]>
  rotateSigningKeys(tx: Transaction): Promise<readonly SigningKeyView[]>
}

const SigningKeys = schema.named(
  'SigningKeys',
  schema.object({
    data: schema.array(
      schema.object({
        kid: schema.string({ maxLength: 100 }),
        alg: schema.string({ maxLength: 20 }),
        state: schema.oneOf(['next', 'current', 'previous']),
        createdAt: schema.time(),
        signsFrom: schema.time({ description: 'Until then it is published and signs nothing' }),
        publishedUntil: schema.nullable(
          schema.time({
            description: 'When the last token it signed has expired; null: no other follows it yet',
          }),
        ),
      }),
      { maxItems: 20, description: 'The one that signs first' },
    ),
  }),
)

function toWire(keys: readonly SigningKeyView[]) {
  return {
    data: keys.map(({ kid, alg, state, createdAtMs, signsFromMs, retiredAtMs }) => ({
      ...{ kid, alg, state },
      createdAt: toIso(createdAtMs),
      signsFrom: toIso(signsFromMs),
      publishedUntil: retiredAtMs === null ? null : toIso(retiredAtMs),
    })),
  }
}

/** The keys that sign ID tokens, for the host’s operators. */
export function signingKeysCapability(server: SigningKeysDependencies): Capability {
  return defineCapability({
    id: 'signing_keys',
    summary: 'The keys that sign ID tokens',
    operations: [
      defineOperation({
        id: 'signing_key.list',
        summary: 'The keys that sign ID tokens: next, current and previous, without their private part',
        method: 'GET',
        path: '/host/v1/signing-keys',
        audience: 'host',
        access: { kind: 'host' },
        kind: 'read',
        input: schema.object({}),
        output: SigningKeys,
        errors: [],
        handle: async () => toWire(await server.listSigningKeys()),
      }),

      defineOperation({
        id: 'signing_key.rotate',
        summary: 'Make the next signing key; it signs as soon as everybody can know it',
        description:
          'Published at once, by every node within 10 seconds; signs after the JWKS cache time; the one before stays published until what it signed has expired. While one is waiting to sign, this changes nothing.',
        method: 'POST',
        path: '/host/v1/signing-keys:rotate',
        audience: 'host',
        access: { kind: 'host' },
        kind: 'write',
        input: schema.object({}),
        output: SigningKeys,
        errors: [],
        handle: async ({ tx }) => toWire(await server.rotateSigningKeys(tx)),
      }),
    ],
  })
}
