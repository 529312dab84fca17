import { idOf, schema } from '../../capability/index.ts'
import { toIso } from '../../kernel/index.ts'
import { clientSecret } from '../wire.ts'
import { type CredentialView, credentialKinds } from './credential.ts'

const credentialMembers = {
  id: idOf('credential'),
  kind: schema.oneOf(credentialKinds),
  hint: schema.string({
    maxLength: 4,
    description: 'The last four characters of the secret, or of the key’s RFC 7638 thumbprint',
  }),
  createdAt: schema.time(),
  expiresAt: schema.nullable(schema.time({ description: 'Null: works until it is revoked' })),
  lastUsedAt: schema.nullable(schema.time({ description: 'To the minute; null: never' })),
  publicKey: schema.nullable(schema.json({ description: 'Of a key: the public JWK with its kid' })),
}

export const Credential = schema.named('Credential', schema.object(credentialMembers))
export const NewCredential = schema.named(
  'NewCredential',
  schema.object({ ...credentialMembers, clientSecret }),
)

function timeOf(ms: number | null): string | null {
  return ms === null ? null : toIso(ms)
}

/** A live secret, without the secret, or a live key. */
export function toWireCredential({ id, kind, hint, publicKey, ...times }: CredentialView) {
  return {
    ...{ id, kind, hint },
    createdAt: toIso(times.createdAtMs),
    expiresAt: timeOf(times.expiresAtMs),
    lastUsedAt: timeOf(times.lastUsedAtMs),
    publicKey,
  }
}
