import type { Catalog } from '../capability/index.ts'
import { ensureAppStream, subscribe } from '../events/index.ts'
import type { IdSource, Transaction } from '../kernel/index.ts'
import type { VersionView } from '../registry/index.ts'
import { InstallErrors } from './errors.ts'

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

type EventRequest = NonNullable<VersionView['manifest']['stoa_events']>[number]

/** Why this version could never get the event, whatever a merchant grants; null: it can. */
function obstacleOf(
  { type, version }: EventRequest,
  { manifest }: VersionView,
  { eventTypes }: Pick<Catalog, 'eventTypes'>,
): string | null {
  const event = eventTypes.get(type)
  if (event === undefined) return `there is no event type ${type}`
  if (event.version !== version) return `${type} has no version ${version}, only ${event.version}`
  const { required = [], optional = [] } = manifest.stoa_scopes ?? {}
  const isAsked = [...required, ...optional].some(({ name }) => name === event.scope)
  return event.scope === null || isAsked
    ? null
    : `${type} needs ${event.scope}, which the app does not ask for`
}

/**
 * What the upload has checked holds for the event types of that day. A subscription that can never deliver is not made
 * in silence.
 */
function checkDeliverable(version: VersionView, catalog: Catalog): void {
  const obstacles = (version.manifest.stoa_events ?? [])
    .map((wanted) => obstacleOf(wanted, version, catalog))
    .filter((obstacle) => obstacle !== null)
  if (obstacles.length > 0) throw InstallErrors.event_undeliverable(obstacles.join('; '))
}

/**
 * One subscription per event of the manifest that the grant covers, on each of the app's streams; gives their ids.
 * @throws install.event_undeliverable
 */
export async function subscribeInstallation(
  tx: Transaction,
  catalog: Catalog,
  subscriber: Subscriber,
  ids: IdSource,
): Promise<readonly string[]> {
  checkDeliverable(subscriber.version, catalog)
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
