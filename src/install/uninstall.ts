import type { Publish } from '../capability/index.ts'
import { endSubscriptions } from '../events/index.ts'
import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { next } from './installation.ts'
import { endInstallation, type InstallationRow, insertConsent } from './store.ts'

interface UninstallContext {
  readonly tx: Transaction
  readonly publish: Publish
  readonly ids: IdSource
  /** Ends every token of the installation. */
  revokeTokens(tx: Transaction, merchantId: string, installationId: string): Promise<void>
}

/** The merchant withdraws everything: tokens, deliveries and stored data end with it, in one transaction. */
export async function uninstall(
  context: UninstallContext,
  installation: InstallationRow,
  by: { readonly personId: string; readonly locale: string; readonly requestId: string },
): Promise<void> {
  const { tx, ids } = context
  const { merchant_id: merchantId, id: installationId, app_id: appId } = installation
  next(installation.state, 'uninstall')
  const atMs = ids.clock.nowMs()
  await context.publish({
    type: 'app.uninstalled',
    merchantId,
    subject: installationId,
    data: { installationId, appId, scopes: [] },
  })
  await endSubscriptions(tx, { merchantId, installationId }, ids.clock)
  await endInstallation(tx, merchantId, { installationId, personId: by.personId, atMs })
  await context.revokeTokens(tx, merchantId, installationId)
  await insertConsent(tx, merchantId, {
    id: newId('consent', ids),
    appId,
    installationId,
    versionId: installation.version_id,
    packageSha256: '',
    personId: by.personId,
    decision: 'withdrawn',
    granted: [],
    refused: installation.granted,
    separate: [],
    locale: by.locale,
    textSha256: '',
    requestId: by.requestId,
    atMs,
  })
}
