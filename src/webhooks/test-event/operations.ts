import { defineOperation, type Operation, schema } from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'
import { appId, editors, endpointId, endpointPath } from '../access.ts'
import type { WebhooksDependencies } from '../dependencies.ts'
import { WebhooksErrors } from '../errors.ts'
import type { HistoryDependencies } from '../history/dependencies.ts'
import { sendTest } from './send-test.ts'

const TestAnswer = schema.named(
  'TestAnswer',
  schema.object({
    eventId: schema.string({ maxLength: 40, description: 'The header webhook-id; begins with tst_' }),
    headers: schema.record(schema.string({ maxLength: 1_000 }), {
      maxProperties: 20,
      description: 'As sent',
    }),
    body: schema.string({ maxLength: 256 * 1024, description: 'The exact text that was sent' }),
    delivered: schema.boolean({ description: 'Answered with 2xx' }),
    status: schema.nullable(schema.integer({ minimum: 100, maximum: 999 })),
    error: schema.nullable(schema.string({ maxLength: 4_096, description: '`code` or `code: message`' })),
    response: schema.nullable(schema.string({ maxLength: limits.webhookResponseKeptBytesMax })),
    durationMs: schema.integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  }),
)

/** What developers do to see that their endpoint understands what it will get. */
export function testEventOperations(
  deps: WebhooksDependencies,
  history: HistoryDependencies,
): readonly Operation[] {
  return [
    defineOperation({
      id: 'endpoint.send_test',
      summary: 'Send an endpoint a test event',
      description: [
        'A signed event of any type that the app’s newest version could get, made from the type’s example, with the attribute "test": true. It is in no stream: it has no sequence, is not tried again, and its answer changes nothing.',
        'Works while the endpoint is active or paused; an unverified one is verified first.',
      ].join('\n\n'),
      method: 'POST',
      path: `${endpointPath}:test`,
      audience: 'developer',
      access: editors,
      kind: 'write',
      input: schema.object({
        appId,
        endpointId,
        eventType: schema.string({ minLength: 1, maxLength: 100 }),
      }),
      output: TestAnswer,
      errors: [
        WebhooksErrors.endpoint_not_found,
        WebhooksErrors.endpoint_not_verified,
        WebhooksErrors.endpoint_stopped,
        WebhooksErrors.event_type_not_requested,
      ],
      prepare: ({ queries, tenantIds, input, clock, random }) =>
        sendTest(queries, history, deps, { ...input, publisherIds: tenantIds }, { clock, random }),
      handle: ({ prepared }) => Promise.resolve(prepared),
    }),
  ]
}
