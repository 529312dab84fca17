import type { Catalog } from '../capability/index.ts'
import { ensureAppStream, subscribe } from '../events/index.ts'
import type { IdSource, Transaction } from '../kernel/index.ts'
import type { VersionView } from '../registry/index.ts'

interface Subscriber {
  readonly merchantId: string
  readonly installationId: string
  readonly appId: string
  readonly appClass: string
  readonly granted: readonly string[]
  readonly version: VersionView
}

/** The streams an app listens on: its backend, its sandbox, or both. */
function sinksOf({ appClass, version }: Subscriber): readonly ('backend' | 'sandbox')[] {
  const hasBackend = appClass === 'backend' || appClass === 'both'
  const hasHandlers = appClass !== 'backend' && version.manifest.stoa_handlers !== undefined
  return [...(hasBackend ? (['backend'] as const) : []), ...(hasHandlers ? (['sandbox'] as const) : [])]
}

/** One subscription per event of the manifest that the grant covers, on each of the app's streams; gives their ids. */
export async function subscribeInstallation(
  tx: Transaction,
  catalog: Catalog,
  subscriber: Subscriber,
  ids: IdSource,
): Promise<readonly string[]> {
  const covered = (subscriber.version.manifest.stoa_events ?? []).filter(({ type }) => {
    const event = catalog.eventTypes.get(type)
    return event !== undefined && (event.scope === null || subscriber.granted.includes(event.scope))
  })
  if (covered.length === 0) return []
  const subscriptionIds: string[] = []
  for (const sink of sinksOf(subscriber)) {
    const streamId = await ensureAppStream(tx, { appId: subscriber.appId, sink }, ids)
    for (const { type, version } of covered) {
      const { merchantId, installationId, appId } = subscriber
      const wanted = { merchantId, installationId, appId, streamId, eventType: type, eventVersion: version }
      subscriptionIds.push(await subscribe(tx, wanted, ids))
    }
  }
  return subscriptionIds
}
