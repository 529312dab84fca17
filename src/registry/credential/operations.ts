import {
  type Access,
  defineOperation,
  idOf,
  type Operation,
  pageOf,
  personOf,
  schema,
} from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'
import type { RegistryDependencies } from '../dependencies.ts'
import { RegistryErrors } from '../errors.ts'
import { ownApp } from '../own-app.ts'
import { addKeys } from './add-keys.ts'
import { createCredential } from './create-credential.ts'
import type { JsonWebKey } from './public-key.ts'
import { revokeOwnCredential } from './revoke-credential.ts'
import { listLiveCredentials } from './store.ts'
import { Credential, NewCredential, toWireCredential } from './wire.ts'

const editors: Access = { kind: 'publisher', roles: ['owner', 'developer'] }
const app = '/developer/v1/apps/{appId}'
const appId = idOf('app')
const credentialsMax = limits.liveSecretsMax + limits.liveKeysMax

const credentialList = defineOperation({
  id: 'credential.list',
  summary: 'List an app’s live client secrets, without the secrets, and keys',
  method: 'GET',
  path: `${app}/credentials`,
  audience: 'developer',
  access: editors,
  kind: 'read',
  input: schema.object({ appId }),
  output: pageOf(Credential, credentialsMax),
  errors: [RegistryErrors.app_not_found],
  async handle({ queries, tenantIds, input, clock }) {
    const { id } = await ownApp(queries, tenantIds, input.appId)
    const live = await listLiveCredentials(queries, id, clock.nowMs())
    return { data: live.map(toWireCredential), hasMore: false, nextCursor: null }
  },
})

const secretErrors = [
  RegistryErrors.app_not_found,
  RegistryErrors.secret_not_for_class,
  RegistryErrors.too_many_credentials,
]

function secretOperations(deps: RegistryDependencies): readonly Operation[] {
  return [
    defineOperation({
      id: 'credential.create',
      summary: 'Make another client secret; at most two are live',
      method: 'POST',
      path: `${app}/credentials`,
      audience: 'developer',
      access: editors,
      kind: 'write',
      input: schema.object({ appId }),
      output: NewCredential,
      status: 201,
      errors: secretErrors,
      async handle({ tx, caller, tenantIds, input, clock, random }) {
        const minting = { ...deps, personId: personOf(caller).personId, clock, random }
        const wanted = { publisherIds: tenantIds, appId: input.appId, overlapMs: null }
        const { credential, clientSecret } = await createCredential(tx, wanted, minting)
        return { ...toWireCredential(credential), clientSecret }
      },
    }),

    defineOperation({
      id: 'credential.rotate',
      summary: 'Make a new client secret and let the present one end after an overlap',
      description: 'Both work until then; lastUsedAt in the list shows when the old one is no longer in use.',
      method: 'POST',
      path: `${app}/credentials:rotate`,
      audience: 'developer',
      access: editors,
      kind: 'write',
      input: schema.object({
        appId,
        overlapSeconds: schema.optional(
          schema.integer({
            minimum: limits.clientSecretOverlapMsMin / 1000,
            maximum: limits.clientSecretOverlapMsMax / 1000,
            default: limits.secretOverlapMs / 1000,
            description: 'How long the present secret still works',
          }),
        ),
      }),
      output: NewCredential,
      status: 201,
      errors: secretErrors,
      async handle({ tx, caller, tenantIds, input, clock, random }) {
        const minting = { ...deps, personId: personOf(caller).personId, clock, random }
        const overlapMs =
          input.overlapSeconds === undefined ? limits.secretOverlapMs : input.overlapSeconds * 1000
        const wanted = { publisherIds: tenantIds, appId: input.appId, overlapMs }
        const { credential, clientSecret } = await createCredential(tx, wanted, minting)
        return { ...toWireCredential(credential), clientSecret }
      },
    }),
  ]
}

// RFC 7517 §4: "Additional members can be present in the JWK; if not understood by implementations encountering them,
// they MUST be ignored."
const jsonWebKey = schema.record<unknown>(schema.json(), {
  maxProperties: 30,
  description: 'A public JSON Web Key: EC P-256, OKP Ed25519, or RSA',
})

const keyAdd = defineOperation({
  id: 'key.add',
  summary: 'Let an app prove itself with keys of its own (private_key_jwt)',
  description:
    'The body is a JWK Set (RFC 7517) of public keys. All are taken or none. Secrets go on working beside them, until the settings refuse secrets.',
  method: 'POST',
  path: `${app}/keys`,
  audience: 'developer',
  access: editors,
  kind: 'write',
  input: schema.object({
    appId,
    keys: schema.array(jsonWebKey, { minItems: 1, maxItems: limits.liveKeysMax }),
  }),
  output: schema.object({ data: schema.array(Credential, { maxItems: limits.liveKeysMax }) }),
  status: 201,
  errors: [
    RegistryErrors.app_not_found,
    RegistryErrors.secret_not_for_class,
    RegistryErrors.key_refused,
    RegistryErrors.too_many_keys,
  ],
  async handle({ tx, caller, tenantIds, input, clock, random }) {
    const { personId } = personOf(caller)
    const keys = input.keys as readonly JsonWebKey[]
    const wanted = { publisherIds: tenantIds, appId: input.appId, keys, personId }
    const added = await addKeys(tx, wanted, { clock, random })
    return { data: added.map(toWireCredential) }
  },
})

const credentialRevoke = defineOperation({
  id: 'credential.revoke',
  summary: 'End a client secret or a key at once',
  method: 'DELETE',
  path: `${app}/credentials/{credentialId}`,
  audience: 'developer',
  access: editors,
  kind: 'write',
  input: schema.object({ appId, credentialId: idOf('credential') }),
  output: schema.nothing,
  errors: [RegistryErrors.app_not_found, RegistryErrors.credential_not_found],
  handle: ({ tx, tenantIds, input, clock }) =>
    revokeOwnCredential(tx, { publisherIds: tenantIds, ...input, nowMs: clock.nowMs() }),
})

/** What developers do with that by which their apps prove themselves. */
export function credentialOperations(deps: RegistryDependencies): readonly Operation[] {
  return [credentialList, ...secretOperations(deps), keyAdd, credentialRevoke]
}
