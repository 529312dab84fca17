import type { Provider } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { OAuthErrors } from '../errors.ts'
import { type AccessType, accessTypeOf } from '../grant/access-type.ts'
import { requestedScopes } from './interaction.ts'

/** What an app asks a merchant for, by whatever way it asks. */
export interface AuthorizationRequest {
  readonly appId: string
  readonly scopes: readonly string[]
  readonly accessType: AccessType
  /** Checked against the types and the released manifests when the request came. */
  readonly details: readonly AuthorizationDetail[]
}

/**
 * The request that waits for this person's consent, by the id in the page's address.
 * @throws oauth.interaction_not_found
 */
export async function findConsentRequest(
  provider: Provider,
  { uid, personId }: { readonly uid: string; readonly personId: string },
): Promise<AuthorizationRequest> {
  const interaction = await provider.Interaction.find(uid)
  if (interaction?.prompt.name !== 'consent' || interaction.session?.accountId !== personId)
    throw OAuthErrors.interaction_not_found()
  const { params } = interaction
  const { authorization_details: details } = params
  return {
    appId: String(params['client_id']),
    scopes: requestedScopes(interaction),
    accessType: accessTypeOf(params),
    details: typeof details === 'string' ? (JSON.parse(details) as AuthorizationDetail[]) : [],
  }
}
