import { defineOperation, idOf, type Operation, personOf, schema } from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import { confirmationErrors, confirmFirst } from '../password/confirm-person.ts'
import { findPasswordOwner } from '../password/store.ts'
import * as wire from '../schema.ts'
import { NewCredential } from './credential.ts'
import { addPasskey, beginPasskey, removePasskey, verifyPasskey } from './enrol-passkey.ts'
import { listPasskeys, type PasskeyRow } from './store.ts'

const passkeyName = wire.nameOf('For yourself: which device it is on')

/** A passkey as its owner sees it. */
export const Passkey = schema.named(
  'Passkey',
  schema.object({
    id: idOf('passkey'),
    name: passkeyName,
    createdAt: schema.time(),
    lastUsedAt: schema.nullable(schema.time()),
  }),
)

/** The wire form of a passkey. */
export function toPasskey({ id, name, created_at, last_used_at }: PasskeyRow) {
  const lastUsedAt = last_used_at === null ? null : toIso(last_used_at.getTime())
  return { id, name, createdAt: toIso(created_at.getTime()), lastUsedAt }
}

function enrolPasskey(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'passkey.enrol',
    summary: 'Begin to add a passkey (WebAuthn)',
    method: 'POST',
    path: '/account/v1/passkeys:enrol',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    input: schema.object({ name: passkeyName, password: wire.ownPassword }),
    output: schema.object({
      options: schema.json({ description: 'PublicKeyCredentialCreationOptionsJSON, for the browser' }),
      enrolment: schema.string({ maxLength: 2000, description: 'To be sent back with the browser’s answer' }),
      expiresAt: schema.time(),
    }),
    errors: [...confirmationErrors, IdentityErrors.too_many_passkeys, IdentityErrors.passkeys_unavailable],
    prepare: confirmFirst(deps),
    async handle({ tx, clock, random, caller, input }) {
      const { personId, displayName } = personOf(caller)
      const { publicUrl, keys } = deps
      const owner = await findPasswordOwner(tx, personId)
      const request = { personId, displayName, name: input.name, account: owner?.email ?? displayName }
      const begun = await beginPasskey({ queries: tx, keys, publicUrl, clock, random }, request)
      const { options, enrolment, expiresAtMs } = begun
      return { options, enrolment, expiresAt: toIso(expiresAtMs) }
    },
  })
}

function addOwnPasskey({ keys, publicUrl }: IdentityDependencies): Operation {
  return defineOperation({
    id: 'passkey.add',
    summary: 'Add the passkey that a browser has made',
    method: 'POST',
    path: '/account/v1/passkeys',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    status: 201,
    input: schema.object({ enrolment: schema.string({ maxLength: 2000 }), credential: NewCredential }),
    output: Passkey,
    errors: [
      IdentityErrors.enrolment_not_valid,
      IdentityErrors.passkey_refused,
      IdentityErrors.passkey_exists,
      IdentityErrors.too_many_passkeys,
      IdentityErrors.passkeys_unavailable,
    ],
    prepare: ({ clock, caller, input }) =>
      verifyPasskey({ keys, clock, publicUrl }, { personId: personOf(caller).personId, ...input }),
    async handle({ tx, clock, random, caller, prepared: passkey }) {
      const id = await addPasskey(tx, { clock, random }, { personId: personOf(caller).personId, passkey })
      const { name } = passkey.step.data
      return { id, name, createdAt: toIso(clock.nowMs()), lastUsedAt: null }
    },
  })
}

const listOwnPasskeys = defineOperation({
  id: 'passkey.list',
  summary: 'Your passkeys',
  method: 'GET',
  path: '/account/v1/passkeys',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object({}),
  output: schema.object({ data: schema.array(Passkey, { maxItems: limits.passkeysMax }) }),
  errors: [],
  async handle({ queries, caller }) {
    return { data: (await listPasskeys(queries, personOf(caller).personId)).map(toPasskey) }
  },
})

function removeOwnPasskey(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'passkey.remove',
    summary: 'Remove a passkey',
    method: 'POST',
    path: '/account/v1/passkeys/{passkeyId}:remove',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    input: schema.object({ passkeyId: idOf('passkey'), password: wire.ownPassword }),
    output: schema.nothing,
    errors: [...confirmationErrors, IdentityErrors.passkey_not_found, IdentityErrors.last_way_in],
    prepare: confirmFirst(deps),
    async handle({ tx, caller, input }) {
      await removePasskey(tx, { personId: personOf(caller).personId, passkeyId: input.passkeyId })
      return undefined
    },
  })
}

/** Passkeys: added, listed, removed. */
export function passkeyOperations(deps: IdentityDependencies): readonly Operation[] {
  return [enrolPasskey(deps), addOwnPasskey(deps), listOwnPasskeys, removeOwnPasskey(deps)]
}
