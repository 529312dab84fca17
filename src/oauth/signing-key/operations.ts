import { defineOperation, type Operation, schema } from '../../capability/index.ts'
import { toIso, type Transaction } from '../../kernel/index.ts'
import type { SigningKeyView } from './signing-keys.ts'

export interface SigningKeyOperations {
  listKeys(): Promise<readonly SigningKeyView[]>
  rotateKeys(tx: Transaction): Promise<readonly SigningKeyView[]>
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
          schema.time({ description: 'When the last token it signed has expired; null: no other follows it yet' }),
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

/** The keys that sign ID tokens, for the host’s operators. Asked for late: the server is made after the catalogue. */
export function signingKeyOperations(server: SigningKeyOperations): readonly Operation[] {
  return [
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
      handle: async () => toWire(await server.listKeys()),
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
      handle: async ({ tx }) => toWire(await server.rotateKeys(tx)),
    }),
  ]
}
