import { afterCommit } from '../../db/index.ts'
import { lockStream } from '../../events/index.ts'
import { type IdSource, newId, type Queries, type Transaction } from '../../kernel/index.ts'
import { findDirectEndpoint } from '../direct/store.ts'
import { WebhooksErrors } from '../errors.ts'
import { findApp } from '../find-app.ts'
import type { HistoryDependencies } from '../history/dependencies.ts'
import { toAgainFilter } from './filter.ts'
import type { ReplayFilter, ReplayView } from './replay.ts'
import { findBackendStream, hasRunning, insertReplay } from './store.ts'

export interface ReplayRequest {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly filter: ReplayFilter
}

/** The deliveries that a replay would send now. */
export interface ReplayPlan {
  readonly publisherId: string
  readonly streamId: string
  readonly untilSequence: bigint
  readonly total: number
}

/**
 * Counts what a replay would send, and sees that there is somewhere to send it.
 * @throws webhooks.app_not_found, webhooks.no_endpoint, webhooks.endpoint_not_verified, webhooks.endpoint_stopped
 */
export async function planReplay(
  q: Queries,
  { again }: Pick<HistoryDependencies, 'again'>,
  { publisherIds, appId, filter }: ReplayRequest,
  nowMs: number,
): Promise<ReplayPlan> {
  const { publisherId } = await findApp(q, publisherIds, appId)
  const stream = await findBackendStream(q, appId)
  const endpoint = stream === null ? null : await findDirectEndpoint(q, stream.id, nowMs)
  if (stream === null || endpoint === null) throw WebhooksErrors.no_endpoint()
  if (endpoint.state === 'unverified') throw WebhooksErrors.endpoint_not_verified()
  if (endpoint.state === 'stopped') throw WebhooksErrors.endpoint_stopped()
  const untilSequence = stream.nextSequence - 1n
  const total = await again().count(stream.id, toAgainFilter(filter), { afterSequence: 0n, untilSequence })
  return { publisherId, streamId: stream.id, untilSequence, total }
}

export interface CreateReplay extends ReplayRequest {
  readonly ratePerSecond: number
  readonly personId: string
}

/** Begins the replay that was planned; an app has one at a time. @throws webhooks.replay_running */
export async function createReplay(
  tx: Transaction,
  { wakeReplay }: Pick<HistoryDependencies, 'wakeReplay'>,
  { appId, filter, ratePerSecond, personId }: CreateReplay,
  plan: ReplayPlan,
  ids: IdSource,
): Promise<ReplayView> {
  // Of two at once the second waits here, and then sees the first one's row.
  await lockStream(tx, plan.streamId)
  if (await hasRunning(tx, plan.publisherId, appId)) throw WebhooksErrors.replay_running()
  const id = newId('replay', ids)
  const row = { ...plan, id, appId, filter, ratePerSecond, createdBy: personId }
  const replay = await insertReplay(tx, row, ids.clock.nowMs())
  afterCommit(tx, () => wakeReplay(id))
  return replay
}
