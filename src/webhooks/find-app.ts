import type { Queries } from '../kernel/index.ts'
import { WebhooksErrors } from './errors.ts'
import { findOwnApp, type OwnApp } from './store.ts'

/** An app of these publishers. @throws webhooks.app_not_found */
export async function findApp(q: Queries, publisherIds: readonly string[], appId: string): Promise<OwnApp> {
  const app = await findOwnApp(q, publisherIds, appId)
  if (app === null) throw WebhooksErrors.app_not_found()
  return app
}
