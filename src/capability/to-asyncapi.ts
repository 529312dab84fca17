import type { Catalog } from './catalog.ts'
import type { EventType } from './define.ts'
import { type ListedEventType, listEventTypes } from './event-list.ts'
import { hoist } from './hoist.ts'
import type { JsonSchema } from './schema.ts'

type Json = Record<string, unknown>

export interface AsyncApiOptions {
  /** The address of the platform, without a trailing slash. */
  readonly publicUrl: string
  readonly version: string
}

const headers: JsonSchema = {
  title: 'WebhookHeaders',
  description: 'Standard Webhooks, and what Stoa adds',
  type: 'object',
  required: [
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
    'webhook-sequence',
    'webhook-attempt',
    'content-type',
  ],
  properties: {
    'content-type': { const: 'application/json' },
    'webhook-id': {
      type: 'string',
      description: 'The event’s id: the same in every attempt, so what a receiver tells repetitions by',
    },
    'webhook-timestamp': {
      type: 'string',
      pattern: '^[0-9]+$',
      description: 'Seconds since 1970 of this attempt; refuse what is more than 5 minutes off',
    },
    'webhook-signature': {
      type: 'string',
      pattern: '^v1a?,[A-Za-z0-9+/]+=*( v1a?,[A-Za-z0-9+/]+=*)*$',
      description: 'One signature per live secret, separated by spaces; one that fits is enough',
    },
    'webhook-sequence': {
      type: 'string',
      pattern: '^[0-9]+$',
      description: 'Number of the delivery in the app’s stream: no number is left out',
    },
    'webhook-attempt': { type: 'string', pattern: '^[1-9][0-9]*$', description: 'Counts from 1' },
    'webhook-replay': { type: 'string', description: 'The replay that sent it; absent in live traffic' },
    'webhook-thin': {
      const: 'true',
      description: 'The data is no longer kept: the body has no `data`; `dataref` leads to the present state',
    },
  },
}

const securitySchemes = {
  v1: {
    type: 'httpApiKey',
    in: 'header',
    name: 'webhook-signature',
    description:
      'Standard Webhooks v1: `v1,` and the base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, body being the exact bytes received. The key is what follows `whsec_` in the endpoint’s secret, decoded from base64.',
  },
  v1a: {
    type: 'httpApiKey',
    in: 'header',
    name: 'webhook-signature',
    description:
      'Standard Webhooks v1a: `v1a,` and the base64 of an Ed25519 signature over `{webhook-id}.{webhook-timestamp}.{body}`. The public keys are at /.well-known/webhooks.json.',
  },
} as const

/** The data as a receiver may get it: what needs a further scope may be missing. */
function shownData({ data, fieldScopes }: EventType): JsonSchema {
  const required = ((data.json['required'] ?? []) as readonly string[]).filter(
    (name) => !Object.hasOwn(fieldScopes, name),
  )
  const properties = Object.fromEntries(
    Object.entries((data.json['properties'] ?? {}) as Record<string, JsonSchema>).map(([name, member]) => {
      const scope = fieldScopes[name]
      return [name, scope === undefined ? member : { allOf: [member], 'x-stoa-scope': scope }]
    }),
  )
  return { ...data.json, properties, required }
}

/** CloudEvents 1.0 in the JSON event format, around the data of this type. */
function payloadOf(event: EventType, { dataschema }: ListedEventType): JsonSchema {
  return {
    type: 'object',
    required: [
      ...['specversion', 'id', 'source', 'type', 'subject', 'time'],
      ...['datacontenttype', 'dataschema', 'merchantid'],
    ],
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string', description: 'Unique per source; the same as webhook-id' },
      source: { type: 'string', format: 'uri', description: 'In whose context it happened' },
      type: { const: event.type },
      subject: { type: 'string', description: event.subject },
      time: { type: 'string', format: 'date-time' },
      datacontenttype: { const: 'application/json' },
      dataschema: { const: dataschema },
      merchantid: { type: 'string', description: 'The merchant it happened at' },
      data: shownData(event),
      dataref: {
        type: 'string',
        format: 'uri',
        description: 'Only without data: where the present state can be read, with an access token',
      },
    },
  }
}

function messageOf(event: EventType, listed: ListedEventType): Json {
  const { type, summary, example, scope, fields, publishedBy, resource } = listed
  return {
    name: type,
    title: summary.en,
    summary: scope === null ? 'Needs no scope.' : `Needs the scope ${scope.name}.`,
    contentType: 'application/json',
    headers,
    payload: payloadOf(event, listed),
    examples: [
      {
        name: `${type}/${event.version}`,
        summary: 'As a receiver with every scope gets it',
        headers: {
          'content-type': 'application/json',
          'webhook-id': example['id'],
          'webhook-timestamp': '1795339800',
          'webhook-signature': 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
          'webhook-sequence': '42',
          'webhook-attempt': '1',
        },
        payload: example,
      },
    ],
    'x-stoa-version': event.version,
    'x-stoa-published-by': publishedBy,
    'x-stoa-scope': scope?.name ?? null,
    'x-stoa-field-scopes': Object.fromEntries(fields.map(({ name, scope: needed }) => [name, needed.name])),
    'x-stoa-resource': resource,
    'x-stoa-summary': summary,
  }
}

/** The AsyncAPI 3.0 document of every event type that was declared. */
export function toAsyncApi(catalog: Catalog, { publicUrl, version }: AsyncApiOptions): Json {
  const components: Json = {}
  const listed = listEventTypes(catalog.eventTypes.values(), { scopes: catalog.scopes, publicUrl })
  const messages = Object.fromEntries(
    listed.flatMap((one) => {
      const event = catalog.eventTypes.get(one.type)
      // The example is data, not a schema: what it holds keeps its titles.
      if (event === undefined) return []
      const { examples, ...message } = messageOf(event, one)
      return [[one.type, { ...(hoist(message, components) as Json), examples }]]
    }),
  )
  const names = Object.keys(messages)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Stoa events',
      version,
      description:
        'What Stoa sends to the endpoints of apps. Every delivery is signed, numbered and repeated until it was answered with 2xx or its attempts are used up; the same event may come more than once, with the same webhook-id.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      externalDocs: { url: `${publicUrl}/docs/events` },
    },
    defaultContentType: 'application/json',
    servers: {
      receiver: {
        host: '{receiver}',
        protocol: 'https',
        description: 'The endpoint that the app’s developer has registered',
        variables: { receiver: { description: 'Host of the endpoint’s URL', default: 'app.example' } },
      },
    },
    channels: {
      webhook: {
        // AsyncAPI 3.0, Channel Object: "When null or absent, it MUST be interpreted as unknown."
        address: null,
        description: 'The endpoint’s URL. One POST per delivery; a body is signed as it is sent.',
        servers: [{ $ref: '#/servers/receiver' }],
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: { http: {} },
      },
    },
    operations: {
      deliver: {
        action: 'send',
        channel: { $ref: '#/channels/webhook' },
        summary: 'Deliver an event to an endpoint',
        security: Object.keys(securitySchemes).map((name) => ({
          $ref: `#/components/securitySchemes/${name}`,
        })),
        messages: names.map((name) => ({ $ref: `#/channels/webhook/messages/${name}` })),
        bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
      },
    },
    components: { messages, schemas: components, securitySchemes },
  }
}
