import type { Provider } from 'oidc-provider'
import { assert, type Transaction } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { requestedScopes } from '../interaction/interaction.ts'
import { throughTransaction } from '../token/unit-of-work.ts'
import { isInstalled } from './store.ts'

/** What a merchant agreed to on the consent page of an authorization request. */
export interface Agreement {
  readonly uid: string
  readonly personId: string
  readonly merchantId: string
  readonly installationId: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
}

/**
 * Ends the consent step inside the caller's transaction, after the installation and its grant were written there: the
 * library's grant for this authorization and its waiting interaction commit with them. Gives the address to which the
 * browser goes on, after the commit. The interaction must wait for exactly this person's consent to exactly this app;
 * anything else has the same answer as none at all.
 * @throws oauth.interaction_not_found
 */
export function completeAuthorization(
  provider: Provider,
  resource: string,
  tx: Transaction,
  agreement: Agreement,
): Promise<string> {
  const { uid, personId, merchantId, installationId, granted, refused } = agreement
  return throughTransaction(tx, async () => {
    const interaction = await provider.Interaction.find(uid)
    if (
      interaction === undefined ||
      interaction.prompt.name !== 'consent' ||
      interaction.session?.accountId !== personId
    )
      throw OAuthErrors.interaction_not_found()
    const appId = String(interaction.params['client_id'])
    if (!(await isInstalled(tx, merchantId, installationId, appId))) throw OAuthErrors.interaction_not_found()
    assert(
      granted.every((scope) => !refused.includes(scope)),
      'no scope is granted and refused at once',
    )

    const grant = new provider.Grant({ accountId: installationId, clientId: appId })
    // What was asked for and not granted counts as refused, or the library would ask again and again.
    const others = [...refused, ...requestedScopes(interaction)].filter((scope) => !granted.includes(scope))
    if (granted.length > 0) grant.addResourceScope(resource, [...granted])
    if (others.length > 0) grant.rejectResourceScope(resource, others)
    interaction.result = { ...interaction.lastSubmission, consent: { grantId: await grant.save() } }
    await interaction.persist()
    return interaction.returnTo
  })
}
