import type { Queries } from '../kernel/index.ts'
import type { AppView } from './app.ts'
import { RegistryErrors } from './errors.ts'
import { findOwnApp } from './store.ts'

/** @throws registry.app_not_found, also when it is another publisher's */
export async function ownApp(q: Queries, publisherIds: readonly string[], id: string): Promise<AppView> {
  const app = await findOwnApp(q, publisherIds, id)
  if (app === null) throw RegistryErrors.app_not_found()
  return app
}
