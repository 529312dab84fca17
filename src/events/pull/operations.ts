import {
  appOf,
  type Caller,
  type Capability,
  defineCapability,
  defineOperation,
  type Operation,
  schema,
} from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'
import type { RuleBook } from '../rule-book.ts'
import { acknowledgeStream } from './acknowledge-stream.ts'
import { type AwaitDependencies, awaitPage } from './await-page.ts'
import { StreamErrors } from './errors.ts'
import { parsePartition, partitionInput } from './partition.ts'
import { findPosition } from './read-stream.ts'
import { StreamPart, sequence, toWirePart, usesOf } from './wire.ts'

/** The app itself. A merchant's token would see from the sequence how much happens at the others. */
function appIdOf(caller: Caller): string {
  const app = appOf(caller)
  if (app.installation !== null) throw StreamErrors.app_token_required()
  return app.appId
}

const afterInput = schema.optional(
  sequence('What comes after this sequence; when not given: after the cursor'),
)
const toSequence = (after: number | undefined) => (after === undefined ? null : BigInt(after))

function streamRead(stream: () => AwaitDependencies): Operation {
  return defineOperation({
    id: 'stream.read',
    summary: 'Read the app’s deliveries in order',
    description: [
      'The same deliveries as by webhook, with the same ids, sequence and text, whatever became of the webhook and also without an endpoint; the app’s own token (client credentials) reads them.',
      'What may no longer be shown is a marker with `cancelled`, so a sequence that is missing has always been lost on the way: read again `after` the last one before it.',
      'With `waitSeconds` an answer without deliveries comes only when the time is over. With `partition` only some merchants’ deliveries come, and their sequences have gaps.',
    ].join('\n\n'),
    method: 'GET',
    path: '/v1/deliveries',
    audience: 'app',
    access: { kind: 'app' },
    kind: 'read',
    input: schema.object({
      after: afterInput,
      limit: schema.optional(
        schema.integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
      ),
      waitSeconds: schema.optional(
        schema.integer({ minimum: 0, maximum: limits.pullWaitMsMax / 1000, default: 0 }),
      ),
      partition: partitionInput,
    }),
    output: StreamPart,
    errors: [
      StreamErrors.app_token_required,
      StreamErrors.sequence_ahead,
      StreamErrors.too_many_waiting,
      StreamErrors.no_room_to_wait,
    ],
    async handle({ caller, input, signal, shows }) {
      const request = {
        after: toSequence(input.after),
        partition: parsePartition(input.partition),
        rowsMax: input.limit ?? limits.pageSizeDefault,
      }
      const waitMs = (input.waitSeconds ?? 0) * 1000
      const page = await awaitPage(stream(), appIdOf(caller), request, { waitMs, signal })
      shows(usesOf(page))
      return toWirePart(page)
    },
  })
}

function streamAcknowledge(stream: () => AwaitDependencies): Operation {
  return defineOperation({
    id: 'stream.acknowledge',
    summary: 'Say up to where the app has handled its deliveries',
    description:
      'The cursor moves forward, never back. What had not been delivered by webhook counts as delivered and is not pushed any more. The cursor that is answered is lower than the sequence sent while something before it is still open: deliveries of another partition, or held back, or more than one acknowledgement takes; in the last case acknowledge again.',
    method: 'POST',
    path: '/v1/deliveries:ack',
    audience: 'app',
    access: { kind: 'app' },
    kind: 'write',
    input: schema.object({
      sequence: sequence('Everything up to here has been handled'),
      partition: partitionInput,
    }),
    output: schema.object({ cursor: sequence('Where a read without `after` begins') }),
    errors: [StreamErrors.app_token_required, StreamErrors.sequence_ahead],
    // Inside the transaction no other statement may run.
    prepare: (): Promise<RuleBook> => stream().rules(),
    async handle({ tx, caller, input, clock, prepared: rules, shows }) {
      const acknowledged = {
        appId: appIdOf(caller),
        sequence: BigInt(input.sequence),
        partition: parsePartition(input.partition),
      }
      const cursor = await acknowledgeStream(tx, acknowledged, { clock, rules })
      // Nobody's data.
      shows([])
      return { cursor: Number(cursor) }
    },
  })
}

const streamOpen = (stream: () => AwaitDependencies) =>
  defineOperation({
    id: 'stream.open',
    summary: 'See where the app’s stream stands; with Upgrade: websocket, take it as a WebSocket',
    description: [
      'A WebSocket (RFC 6455) needs no public address of the app’s. It opens with the app’s own token in the header Authorization, never in the address; a request with Origin, as browsers send it, is refused.',
      'Each message to the app is one JSON object as in `data` of GET /v1/deliveries, from `after` or else the cursor on, and with `partition` only of some merchants: open n sockets with 0/n to (n-1)/n to share the work. The app answers `{"type":"ack","sequence":n}` when everything up to n (of this partition) is handled, and gets `{"type":"acked","cursor":n}`.',
      `Pings come every ${limits.socketPingMs / 1000} s. Close codes: 1001 the platform stops, 1003 and 1009 not a short text, 1013 try again later, 4400 a message or sequence that cannot be, 4401 the token has ended, 4403 the platform has stopped the app, 4408 no answer to a ping, or nothing taken for too long. Connect again with a fresh token, after the last sequence that was handled.`,
    ].join('\n\n'),
    method: 'GET',
    path: '/v1/stream',
    audience: 'app',
    access: { kind: 'app' },
    kind: 'read',
    input: schema.object({ after: afterInput, partition: partitionInput }),
    output: schema.object({
      after: sequence('Where the messages of a WebSocket begin'),
      lastSequence: sequence('The highest that the stream holds'),
      cursor: sequence('Everything up to here has been acknowledged'),
    }),
    errors: [StreamErrors.app_token_required, StreamErrors.sequence_ahead],
    async handle({ caller, input, shows }) {
      parsePartition(input.partition)
      const after = toSequence(input.after)
      const { cursor, lastSequence } = await findPosition(stream(), appIdOf(caller), after)
      shows([])
      return {
        after: Number(after ?? cursor),
        lastSequence: Number(lastSequence),
        cursor: Number(cursor),
      }
    },
  })

/** What an app may ask of its stream. The stream is asked for late: its catalogue holds these operations. */
export function streamCapability(stream: () => AwaitDependencies): Capability {
  return defineCapability({
    id: 'stream',
    summary: 'An app’s deliveries in order, by pull and by WebSocket',
    operations: [streamRead(stream), streamAcknowledge(stream), streamOpen(stream)],
  })
}
