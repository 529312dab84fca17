import {
  type Catalog,
  defineOperation,
  idOf,
  meetDetails,
  type Operation,
  personOf,
  schema,
} from '../capability/index.ts'
import { OAuthErrors } from '../oauth/index.ts'
import type { Authorization } from './authorization.ts'
import { InstallErrors } from './errors.ts'
import { lockInstallation } from './store.ts'

interface SignInDependencies {
  readonly authorization: Authorization
  catalog(): Pick<Catalog, 'boundTypes'>
}

/** Staff use an app that their merchant has installed: no permission changes, so no manager is needed. */
export function signInToApp({ authorization, catalog }: SignInDependencies): Operation {
  return defineOperation({
    id: 'installation.sign_in',
    summary: 'Use an installed app as yourself',
    description:
      'Answers a request of /oauth/authorize with access_type=online by tokens within what was agreed to before. They end with your session or membership.',
    method: 'POST',
    path: '/merchant/v1/installations/{installationId}/sign-ins',
    audience: 'merchant',
    access: { kind: 'merchant', roles: ['owner', 'manager', 'staff'] },
    kind: 'write',
    input: schema.object({
      installationId: idOf('installation'),
      interactionUid: schema.string({ minLength: 1, maxLength: 64 }),
    }),
    output: schema.object({ redirectTo: schema.string({ maxLength: 2_048 }) }),
    errors: [InstallErrors.not_found, InstallErrors.not_installed, OAuthErrors.interaction_not_found],
    async handle({ tx, caller, input, tenantIds, concerns }) {
      const found = await lockInstallation(tx, tenantIds, input.installationId)
      if (found === null) throw InstallErrors.not_found()
      concerns(found.merchant_id)
      const { personId, credentialId } = personOf(caller)
      const uid = input.interactionUid
      const request = await authorization.findConsentRequest(tx, { uid, personId })
      if (request.appId !== found.app_id || found.state !== 'active' || request.accessType !== 'online')
        throw InstallErrors.not_installed()
      const { merchant_id: merchantId, id: installationId, granted, refused } = found
      const details = meetDetails(catalog().boundTypes, found.bounds, request.details)
      const redirectTo = await authorization.completeAuthorization(tx, {
        ...{ uid, personId, credentialId, merchantId, installationId, granted, refused, details },
      })
      return { redirectTo }
    },
  })
}
