import type { EventType, Localized, Scope } from './define.ts'

/** A scope as a reader of the event types needs it. */
interface NeededScope {
  readonly name: string
  readonly title: Localized
}

/** One event type for people and programs: what it is, who gets what of it, and how it looks. */
export interface ListedEventType {
  readonly type: string
  readonly version: number
  readonly summary: Localized
  readonly subject: string
  /** Who makes it happen: the host's systems and capabilities, or the platform itself. */
  readonly publishedBy: 'host' | 'platform'
  /** Without it an installation gets nothing of this type; null: none is needed. */
  readonly scope: NeededScope | null
  /** Members of `data` that are left out without a further scope. */
  readonly fields: readonly { readonly name: string; readonly scope: NeededScope }[]
  readonly dataschema: string
  /** Where the present state of what it is about can be read; null: nowhere. */
  readonly resource: string | null
  /** The body as a receiver with every scope gets it. */
  readonly example: Readonly<Record<string, unknown>>
}

export interface EventListContext {
  readonly scopes: ReadonlyMap<string, Pick<Scope, 'title'>>
  /** Without a trailing slash. */
  readonly publicUrl: string
}

const nobody: Localized = { en: '', 'zh-CN': '' }

/** The address of a data schema: what `dataschema` of every event says. */
export function dataSchemaUrl(
  { type, version }: Pick<EventType, 'type' | 'version'>,
  publicUrl: string,
): string {
  return `${publicUrl}/schemas/events/${type}/${version}`
}

/** The example's subject: the first id that its data names. */
function subjectOf({ example }: EventType): string {
  const members = Object.entries((example ?? {}) as Readonly<Record<string, unknown>>)
  const id = members.find(([name, value]) => name.endsWith('Id') && typeof value === 'string')?.[1]
  return typeof id === 'string' ? id : 'A-1001'
}

function exampleOf(event: EventType, publicUrl: string): Readonly<Record<string, unknown>> {
  return {
    specversion: '1.0',
    id: 'evt_01JD0000000000000000000001',
    source: `${publicUrl}/host`,
    type: event.type,
    subject: subjectOf(event),
    time: '2026-11-22T09:30:00.000Z',
    datacontenttype: 'application/json',
    dataschema: dataSchemaUrl(event, publicUrl),
    merchantid: 'mer_01JD0000000000000000000001',
    data: event.example,
  }
}

/** What the declarations say about event types, in their order. */
export function listEventTypes(
  eventTypes: Iterable<EventType>,
  { scopes, publicUrl }: EventListContext,
): readonly ListedEventType[] {
  const scopeOf = (name: string): NeededScope => ({ name, title: scopes.get(name)?.title ?? nobody })
  return [...eventTypes].map((event) => ({
    type: event.type,
    version: event.version,
    summary: event.summary,
    subject: event.subject,
    publishedBy: event.addressedTo === 'merchant' ? 'host' : 'platform',
    scope: event.scope === null ? null : scopeOf(event.scope),
    fields: Object.entries(event.fieldScopes).map(([name, scope]) => ({ name, scope: scopeOf(scope) })),
    dataschema: dataSchemaUrl(event, publicUrl),
    resource: event.resourcePath,
    example: exampleOf(event, publicUrl),
  }))
}
