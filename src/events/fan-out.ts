import type { EventType, Scope } from '../capability/index.ts'
import { sha256Hex } from '../kernel/index.ts'
import { type StoredEvent, toBodyText } from './event.ts'

/** A subscription that may still receive something, with what its installation's grant holds now. */
export interface LiveSubscription {
  readonly id: string
  readonly merchantId: string
  readonly installationId: string
  readonly appId: string
  readonly streamId: string
  readonly eventType: string
  readonly eventVersion: number
  /** The scopes of the grant, without those that a platform rule has dropped. */
  readonly granted: readonly string[]
  /** Not ended, the installation active, the grant not revoked. */
  readonly live: boolean
  readonly endedAtMs: number | null
}

/** An event as one set of allowed fields shows it. */
export interface Body {
  /** SHA-256 of the text. */
  readonly hash: string
  readonly merchantId: string
  readonly eventId: string
  readonly text: string
  /** Holds personal data of the merchant's customers. */
  readonly personal: boolean
  /** When the event was published: how long the text is kept counts from there, whenever it was made. */
  readonly publishedAtMs: number
}

/** A delivery before its stream has numbered it. */
export interface PlannedDelivery {
  readonly merchantId: string
  readonly installationId: string
  readonly appId: string
  readonly streamId: string
  readonly subscriptionId: string
  readonly eventId: string
  readonly eventType: string
  readonly subject: string
  /** The scopes without which this body may not be shown, sorted. */
  readonly scopes: readonly string[]
  readonly bodyHash: string
}

export interface FanOutPlan {
  readonly bodies: readonly Body[]
  /** In the order of the events. */
  readonly deliveries: readonly PlannedDelivery[]
}

export interface EventCatalog {
  readonly eventTypes: ReadonlyMap<string, EventType>
  readonly scopes: ReadonlyMap<string, Pick<Scope, 'sensitivity'>>
}

export interface FanOutContext {
  readonly catalog: EventCatalog
  readonly publicUrl: string
}

/** What a receiver with these scopes may see of one event. */
export interface View {
  readonly scopes: readonly string[]
  readonly body: Body
}

/** Makes the views of one event; two receivers with the same fields share one body. */
interface Viewer {
  /** Null: the event needs a scope that is not granted. */
  viewFor(granted: readonly string[]): View | null
}

function makeViewer(event: StoredEvent, type: EventType, { catalog, publicUrl }: FanOutContext): Viewer {
  const bound = Object.entries(type.fieldScopes)
  // Parsed only where something may have to be left out; otherwise the text goes on as it was published.
  const data = bound.length === 0 ? null : (JSON.parse(event.data) as Record<string, unknown>)
  const present = bound.filter(([field]) => data !== null && Object.hasOwn(data, field))
  const views = new Map<string, View>()

  function makeView(granted: ReadonlySet<string>): View {
    const hidden = new Set(present.filter(([, scope]) => !granted.has(scope)).map(([field]) => field))
    const needed = present.filter(([field]) => !hidden.has(field)).map(([, scope]) => scope)
    const scopes = [...new Set(type.scope === null ? needed : [type.scope, ...needed])].sort()
    const key = [...hidden].join(' ')
    const known = views.get(key)
    if (known !== undefined) return known
    const shown =
      data === null || hidden.size === 0
        ? event.data
        : JSON.stringify(Object.fromEntries(Object.entries(data).filter(([field]) => !hidden.has(field))))
    const text = toBodyText(event, shown, publicUrl)
    const personal = scopes.some((scope) => catalog.scopes.get(scope)?.sensitivity === 'private')
    const { merchantId, id: eventId, createdAtMs: publishedAtMs } = event
    const body = { hash: sha256Hex(text), merchantId, eventId, text, personal, publishedAtMs }
    const view = { scopes, body }
    views.set(key, view)
    return view
  }

  return {
    viewFor(granted) {
      const set = new Set(granted)
      return type.scope !== null && !set.has(type.scope) ? null : makeView(set)
    },
  }
}

function viewerOf(event: StoredEvent, context: FanOutContext): Viewer | null {
  const type = context.catalog.eventTypes.get(event.type)
  // A type that this release of the platform no longer declares, or declares in another version, has no field rules:
  // nobody may see it.
  return type === undefined || type.version !== event.version ? null : makeViewer(event, type, context)
}

/** What a receiver with these scopes may see of the event right now; null: nothing. */
export function viewOf(event: StoredEvent, granted: readonly string[], context: FanOutContext): View | null {
  return viewerOf(event, context)?.viewFor(granted) ?? null
}

function byMerchantAndType(
  subscriptions: readonly LiveSubscription[],
): ReadonlyMap<string, readonly LiveSubscription[]> {
  const groups = new Map<string, LiveSubscription[]>()
  for (const subscription of subscriptions) {
    const key = `${subscription.merchantId} ${subscription.eventType}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [subscription])
    else group.push(subscription)
  }
  return groups
}

/**
 * Event × live subscriptions → deliveries and bodies. Each event reaches exactly the subscriptions of its merchant and
 * type whose grant covers it, and shows each of them the fields its scopes allow.
 */
export function fanOut(
  events: readonly StoredEvent[],
  subscriptions: readonly LiveSubscription[],
  context: FanOutContext,
): FanOutPlan {
  const groups = byMerchantAndType(subscriptions)
  const bodies = new Map<string, Body>()
  const deliveries: PlannedDelivery[] = []
  for (const event of events) {
    const group = groups.get(`${event.merchantId} ${event.type}`) ?? []
    for (const { subscription, view } of viewsOf(event, group, context)) {
      bodies.set(view.body.hash, view.body)
      deliveries.push(planOf(event, subscription, view))
    }
  }
  return { bodies: [...bodies.values()], deliveries }
}

function viewsOf(
  event: StoredEvent,
  group: readonly LiveSubscription[],
  context: FanOutContext,
): readonly { readonly subscription: LiveSubscription; readonly view: View }[] {
  const type = context.catalog.eventTypes.get(event.type)
  const viewer = group.length === 0 ? null : viewerOf(event, context)
  if (type === undefined || viewer === null) return []
  return group
    .filter((subscription) => concerns(event, type, subscription))
    .flatMap((subscription) => {
      const view = viewer.viewFor(subscription.granted)
      return view === null ? [] : [{ subscription, view }]
    })
}

/**
 * Whether the event is for this subscription at all. What is addressed to one installation reaches it even when the
 * same transaction ended it: an app hears that it was uninstalled.
 */
function concerns(event: StoredEvent, type: EventType, subscription: LiveSubscription): boolean {
  if (subscription.eventVersion !== event.version) return false
  if (type.addressedTo === 'merchant') return subscription.live
  if (subscription.installationId !== event.subject) return false
  return subscription.live || (subscription.endedAtMs ?? 0) >= event.createdAtMs
}

function planOf(event: StoredEvent, subscription: LiveSubscription, view: View): PlannedDelivery {
  return {
    merchantId: event.merchantId,
    installationId: subscription.installationId,
    appId: subscription.appId,
    streamId: subscription.streamId,
    subscriptionId: subscription.id,
    eventId: event.id,
    eventType: event.type,
    subject: event.subject,
    scopes: view.scopes,
    bodyHash: view.body.hash,
  }
}

/** How many deliveries each stream gets. */
export function countByStream(
  deliveries: readonly { readonly streamId: string }[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { streamId } of deliveries) counts.set(streamId, (counts.get(streamId) ?? 0) + 1)
  return counts
}

/** Gives each delivery its stream's next sequence number, in order and without gaps. */
export function numberDeliveries<D extends { readonly streamId: string }>(
  deliveries: readonly D[],
  firstByStream: ReadonlyMap<string, bigint>,
): readonly (D & { readonly sequence: bigint })[] {
  const nextByStream = new Map(firstByStream)
  return deliveries.map((delivery) => {
    const sequence = nextByStream.get(delivery.streamId)
    if (sequence === undefined) throw new Error(`invariant broken: stream ${delivery.streamId} is not locked`)
    nextByStream.set(delivery.streamId, sequence + 1n)
    return { ...delivery, sequence }
  })
}
