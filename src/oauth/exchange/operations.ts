import { defineOperation, idOf, type Operation, personOf, schema } from '../../capability/index.ts'
import { toIso, tokenPrefixes } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { mintSessionToken, type SessionTokenDependencies } from './mint-session-token.ts'
import { findLiveInstallation, isMember } from './store.ts'
import { sessionTokenType } from './token-types.ts'

const installationId = idOf('installation')

const SessionToken = schema.named(
  'SessionToken',
  schema.object({
    token: schema.string({
      maxLength: 64,
      pattern: `^${tokenPrefixes.sessionToken}`,
      description: 'For the app’s page, which sends it to its own backend',
    }),
    tokenType: schema.oneOf([sessionTokenType], {
      description: 'subject_token_type of the exchange at /oauth/token',
    }),
    expiresAt: schema.time(),
  }),
)

function toWire({ token, expiresAtMs }: { readonly token: string; readonly expiresAtMs: number }) {
  return { token, tokenType: sessionTokenType, expiresAt: toIso(expiresAtMs) } as const
}

/** How the page of an app comes to a proof of who uses it. */
export function sessionTokenOperations(deps: () => SessionTokenDependencies): readonly Operation[] {
  return [
    defineOperation({
      id: 'session_token.create',
      summary: 'A proof, for 60 seconds, that you use an app at your merchant',
      description:
        'The container that shows a mini-program gives it to the program’s page, the page to its backend, and the backend exchanges it (RFC 8693) for an access token that ends with your session or membership.',
      method: 'POST',
      path: '/merchant/v1/installations/{installationId}/session-tokens',
      audience: 'merchant',
      access: { kind: 'merchant', roles: ['owner', 'manager', 'staff'] },
      kind: 'write',
      status: 201,
      input: schema.object({ installationId }),
      output: SessionToken,
      errors: [OAuthErrors.installation_not_found],
      async handle({ tx, caller, tenantIds, input, concerns }) {
        const installation = await findLiveInstallation(tx, tenantIds, input.installationId)
        if (installation === null) throw OAuthErrors.installation_not_found()
        concerns(installation.merchant_id)
        const { personId, credentialId } = personOf(caller)
        const request = { installationId: input.installationId, installation, personId, credentialId }
        return toWire(await mintSessionToken(deps(), tx, request))
      },
    }),
    defineOperation({
      id: 'session_token.create_for_host',
      summary: 'The same for whoever uses the app in the host’s own container',
      description:
        'The host vouches for the person, who must be a member of the merchant; without one the token is the installation’s.',
      method: 'POST',
      path: '/host/v1/installations/{installationId}/session-tokens',
      audience: 'host',
      access: { kind: 'host' },
      kind: 'write',
      status: 201,
      input: schema.object({ installationId, personId: schema.optional(idOf('person')) }),
      output: SessionToken,
      errors: [OAuthErrors.installation_not_found, OAuthErrors.person_not_member],
      async handle({ tx, input, concerns }) {
        const installation = await findLiveInstallation(tx, null, input.installationId)
        if (installation === null) throw OAuthErrors.installation_not_found()
        concerns(installation.merchant_id)
        const { personId = null } = input
        if (personId !== null && !(await isMember(tx, installation.merchant_id, personId)))
          throw OAuthErrors.person_not_member()
        const request = { installationId: input.installationId, installation, personId, credentialId: null }
        return toWire(await mintSessionToken(deps(), tx, request))
      },
    }),
  ]
}
