import {
  cursorPageInput,
  defineOperation,
  idOf,
  type Operation,
  pageOf,
  pageRequestOf,
  parseTimeCursor,
  personOf,
  schema,
  timeCursor,
  toPage,
} from '../../capability/index.ts'
import { limits, type Queries, toIso } from '../../kernel/index.ts'
import { appId, appPath, editors, readers } from '../access.ts'
import { WebhooksErrors } from '../errors.ts'
import { findApp } from '../find-app.ts'
import type { HistoryDependencies } from '../history/dependencies.ts'
import { parseRange } from '../history/time-range.ts'
import { createReplay, planReplay } from './create-replay.ts'
import { defaultStates, type ReplayableState, type ReplayFilter, type ReplayView } from './replay.ts'
import { cancelRunning, listReplays } from './store.ts'
import { Replay, ReplayAnswer, ReplayFilterInput, toWireReplay } from './wire.ts'

const replaysPath = `${appPath}/replays`
const replayPath = `${replaysPath}/{replayId}`
const replayId = idOf('replay')

const isoOrNull = (ms: number | null) => (ms === null ? null : toIso(ms))

interface FilterInput {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly states?: readonly ReplayableState[] | undefined
  readonly eventTypes?: readonly string[] | undefined
  readonly merchantId?: string | undefined
}

function parseFilter(input: FilterInput): ReplayFilter {
  const { fromMs, toMs } = parseRange(input, '/filter')
  return {
    from: isoOrNull(fromMs),
    to: isoOrNull(toMs),
    states: input.states ?? defaultStates,
    eventTypes: input.eventTypes ?? null,
    merchantId: input.merchantId ?? null,
    deliveryId: null,
  }
}

async function findReplay(
  q: Queries,
  publisherIds: readonly string[],
  search: { readonly appId: string; readonly replayId: string },
): Promise<ReplayView> {
  const [replay] = await listReplays(q, publisherIds, { ...search, after: null, rowsMax: 1 })
  if (replay === undefined) throw WebhooksErrors.replay_not_found()
  return replay
}

function replayCreate(deps: HistoryDependencies): Operation {
  return defineOperation({
    id: 'replay.create',
    summary: 'Send many deliveries once more',
    description: [
      'Goes through the app’s stream in order, beside live traffic and at its own rate, and survives restarts. Each request carries the header webhook-replay; permissions are checked again right before it.',
      'Each delivery is tried once: what fails is counted and not tried again by the retry table; make another replay of it. When nothing gets through, or the receiver asks for less, the replay slows down by itself. While the endpoint is paused it waits; when the endpoint stops it is cancelled. One replay of an app runs at a time.',
      'With dryRun it only counts.',
    ].join('\n\n'),
    method: 'POST',
    path: replaysPath,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      appId,
      filter: schema.optional(ReplayFilterInput),
      ratePerSecond: schema.optional(
        schema.integer({
          minimum: 1,
          maximum: limits.replayRatePerSecondMax,
          default: limits.replayRatePerSecond,
        }),
      ),
      dryRun: schema.optional(schema.boolean({ default: false, description: 'Only count' })),
    }),
    output: ReplayAnswer,
    errors: [
      WebhooksErrors.app_not_found,
      WebhooksErrors.no_endpoint,
      WebhooksErrors.endpoint_not_verified,
      WebhooksErrors.endpoint_stopped,
      WebhooksErrors.replay_running,
    ],
    // Counting takes a while: not inside the transaction.
    async prepare({ queries, tenantIds, input, clock }) {
      const filter = parseFilter(input.filter ?? {})
      const request = { publisherIds: tenantIds, appId: input.appId, filter }
      return { filter, plan: await planReplay(queries, deps, request, clock.nowMs()) }
    },
    async handle({ tx, tenantIds, caller, input, clock, random, prepared: { filter, plan } }) {
      if (input.dryRun === true) return { total: plan.total, replay: null }
      const { ratePerSecond = limits.replayRatePerSecond } = input
      const { personId } = personOf(caller)
      const wanted = { publisherIds: tenantIds, appId: input.appId, filter, ratePerSecond, personId }
      const replay = await createReplay(tx, deps, wanted, plan, { clock, random })
      return { total: plan.total, replay: toWireReplay(replay) }
    },
  })
}

const replayList = defineOperation({
  id: 'replay.list',
  summary: 'List an app’s replays, newest first',
  description: 'Deliveries that somebody sent again one by one are listed too, each as a replay of one.',
  method: 'GET',
  path: replaysPath,
  audience: 'developer',
  access: readers,
  kind: 'read',
  input: schema.object({ appId, ...cursorPageInput }),
  output: pageOf(Replay, limits.pageSizeMax),
  errors: [WebhooksErrors.app_not_found],
  async handle({ queries, tenantIds, input }) {
    await findApp(queries, tenantIds, input.appId)
    const { rowsMax, after } = pageRequestOf(input)
    const search = { appId: input.appId, replayId: null, after: parseTimeCursor(after), rowsMax }
    return toPage(input, await listReplays(queries, tenantIds, search), {
      toItem: toWireReplay,
      cursorOf: ({ createdAtMs, id }) => timeCursor({ atMs: createdAtMs, id }),
    })
  },
})

const replayGet = defineOperation({
  id: 'replay.get',
  summary: 'Read one replay and how far it is',
  method: 'GET',
  path: replayPath,
  audience: 'developer',
  access: readers,
  kind: 'read',
  input: schema.object({ appId, replayId }),
  output: Replay,
  errors: [WebhooksErrors.replay_not_found],
  handle: async ({ queries, tenantIds, input }) => toWireReplay(await findReplay(queries, tenantIds, input)),
})

const replayCancel = defineOperation({
  id: 'replay.cancel',
  summary: 'End a running replay',
  description: 'Takes effect within a few seconds; what is in flight by then is still sent and counted.',
  method: 'POST',
  path: `${replayPath}:cancel`,
  audience: 'developer',
  access: editors,
  kind: 'write',
  input: schema.object({ appId, replayId }),
  output: Replay,
  errors: [WebhooksErrors.replay_not_found, WebhooksErrors.replay_ended],
  async handle({ tx, tenantIds, input, clock }) {
    const cancelled = await cancelRunning(tx, tenantIds, { ...input, nowMs: clock.nowMs() })
    if (cancelled !== null) return toWireReplay(cancelled)
    const replay = await findReplay(tx, tenantIds, input)
    // Cancelled once more is cancelled.
    if (replay.state === 'cancelled') return toWireReplay(replay)
    throw WebhooksErrors.replay_ended()
  },
})

/** What developers do with replays. */
export function replayOperations(deps: HistoryDependencies): readonly Operation[] {
  return [replayCreate(deps), replayList, replayGet, replayCancel]
}
