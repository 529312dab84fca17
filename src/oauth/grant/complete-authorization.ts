import type { Transaction } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { throughTransaction } from '../token/unit-of-work.ts'
import { type Agreement, authorizationOf, type GrantContext, makeGrant } from './make-grant.ts'
import { isInstalled } from './store.ts'

/**
 * Ends the consent step inside the caller's transaction, after the installation and its grant were written there: the
 * library's grant for this authorization and its waiting interaction commit with them. Gives the address to which the
 * browser goes on, after the commit. The interaction must wait for exactly this person's consent to exactly this app;
 * anything else has the same answer as none at all.
 * @throws oauth.interaction_not_found
 */
export function completeAuthorization(
  context: GrantContext,
  tx: Transaction,
  { uid, ...agreement }: Agreement & { readonly uid: string },
): Promise<string> {
  const { personId, merchantId, installationId } = agreement
  return throughTransaction(tx, async () => {
    const interaction = await context.provider.Interaction.find(uid)
    if (
      interaction === undefined ||
      interaction.prompt.name !== 'consent' ||
      interaction.session?.accountId !== personId
    )
      throw OAuthErrors.interaction_not_found()
    const appId = String(interaction.params['client_id'])
    if (!(await isInstalled(tx, merchantId, installationId, appId))) throw OAuthErrors.interaction_not_found()
    const grant = await makeGrant(context, authorizationOf(appId, interaction.params, agreement))
    interaction.result = { ...interaction.lastSubmission, consent: { grantId: grant.jti } }
    await interaction.persist()
    return interaction.returnTo
  })
}
