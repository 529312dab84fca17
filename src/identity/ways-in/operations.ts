import { defineOperation, idOf, type Operation, personOf, schema } from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import { followGroups } from '../oidc/follow-groups.ts'
import { deleteProviderSignIn, listProviderSignIns } from '../oidc/store.ts'
import { Passkey, toPasskey } from '../passkey/operations.ts'
import { countWaysIn, listPasskeys, lockPerson } from '../passkey/store.ts'
import { confirmationErrors, confirmFirst } from '../password/confirm-person.ts'
import { findPasswordAccount } from '../password/store.ts'
import * as wire from '../schema.ts'
import { countRecoveryCodes, findTotp } from '../totp/store.ts'

const providerSignInsMax = 20

const SignInMethods = schema.named(
  'SignInMethods',
  schema.object({
    password: schema.boolean({ description: 'Whether you have one' }),
    secondFactor: schema.nullable(
      schema.object({
        createdAt: schema.time(),
        recoveryCodesLeft: schema.integer({ minimum: 0, maximum: limits.recoveryCodes }),
      }),
    ),
    passkeys: schema.array(Passkey, { maxItems: limits.passkeysMax }),
    providers: schema.array(
      schema.object({
        id: idOf('signIn'),
        issuer: schema.string({ maxLength: 2000 }),
        createdAt: schema.time(),
        lastUsedAt: schema.nullable(schema.time()),
      }),
      { maxItems: providerSignInsMax, description: 'Your accounts at the host’s identity provider' },
    ),
  }),
)

const readMethods = defineOperation({
  id: 'sign_in_methods.get',
  summary: 'The ways in which you sign in',
  method: 'GET',
  path: '/account/v1/sign-in-methods',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object({}),
  output: SignInMethods,
  errors: [],
  async handle({ queries, caller }) {
    const { personId } = personOf(caller)
    const [account, totp, codes, passkeys, providers] = await Promise.all([
      findPasswordAccount(queries, personId),
      findTotp(queries, personId),
      countRecoveryCodes(queries, personId),
      listPasskeys(queries, personId),
      listProviderSignIns(queries, personId),
    ])
    return {
      password: account !== null,
      secondFactor:
        totp === null ? null : { createdAt: toIso(totp.created_at.getTime()), recoveryCodesLeft: codes },
      passkeys: passkeys.map(toPasskey),
      providers: providers.slice(0, providerSignInsMax).map(({ id, issuer, created_at, last_used_at }) => ({
        id,
        issuer,
        createdAt: toIso(created_at.getTime()),
        lastUsedAt: last_used_at === null ? null : toIso(last_used_at.getTime()),
      })),
    }
  },
})

function removeProvider(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'provider_sign_in.remove',
    summary: 'Stop signing in by an account of the host’s identity provider',
    description: 'Roles that came from its groups end with it.',
    method: 'POST',
    path: '/account/v1/provider-sign-ins/{signInId}:remove',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    input: schema.object({ signInId: idOf('signIn'), password: wire.ownPassword }),
    output: schema.nothing,
    errors: [...confirmationErrors, IdentityErrors.provider_sign_in_not_found, IdentityErrors.last_way_in],
    prepare: confirmFirst(deps),
    async handle({ tx, clock, caller, input }) {
      const { personId } = personOf(caller)
      await lockPerson(tx, personId)
      const removed = await deleteProviderSignIn(tx, personId, input.signInId)
      if (!removed) throw IdentityErrors.provider_sign_in_not_found()
      if ((await countWaysIn(tx, personId)) === 0) throw IdentityErrors.last_way_in()
      // Nobody would ask the provider again, and a role that was taken away there would stay for ever.
      await followGroups(tx, clock, { personId, table: [], groups: [] })
      return undefined
    },
  })
}

/** The ways in as a whole, and those by the host's identity provider. */
export function waysInOperations(deps: IdentityDependencies): readonly Operation[] {
  return [readMethods, removeProvider(deps)]
}
