import { defineOperation, type Operation, schema } from '../../capability/index.ts'
import { attemptOutcomes } from '../../events/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import { appId, endpointId, endpointPath, readers } from '../access.ts'
import { endpointStates } from '../endpoint.ts'
import { WebhooksErrors } from '../errors.ts'
import { type EndpointStats, findStats } from './store.ts'

const count = schema.integer({ minimum: 0, maximum: limits.endpointStatsAttemptsMax })
const durationMs = schema.nullable(schema.integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const attemptCounts = Object.fromEntries(attemptOutcomes.map((outcome) => [outcome, count]))

const Stats = schema.named(
  'EndpointStats',
  schema.object({
    state: schema.oneOf(endpointStates),
    since: schema.nullable(
      schema.time({
        description: `The oldest attempt that was looked at: of the last 24 hours, ${limits.endpointStatsAttemptsMax} at most; null: none`,
      }),
    ),
    attempts: schema.object(attemptCounts, { description: 'Of live traffic, by how they ended' }),
    successPermille: schema.nullable(
      schema.integer({
        minimum: 0,
        maximum: 1_000,
        description: 'Delivered ones in 1,000 attempts that were made; null: none was',
      }),
    ),
    p50Ms: durationMs,
    p95Ms: durationMs,
    backlog: schema.integer({
      minimum: 0,
      maximum: limits.endpointBacklogMax,
      description: 'Deliveries that wait to be sent; counted up to this maximum',
    }),
    oldestDueAt: schema.nullable(schema.time({ description: 'When the first of them is due, or was' })),
    nextProbeAt: schema.nullable(schema.time({ description: 'When a paused endpoint is tried by itself' })),
  }),
)

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

function toWireStats(stats: EndpointStats) {
  const counted = attemptOutcomes.map((outcome) => [outcome, stats.attempts[outcome] ?? 0] as const)
  const made = counted.reduce((sum, [outcome, n]) => (outcome === 'cancelled' ? sum : sum + n), 0)
  const delivered = stats.attempts.delivered ?? 0
  return {
    state: stats.state,
    since: isoOrNull(stats.sinceMs),
    attempts: Object.fromEntries(counted),
    successPermille: made === 0 ? null : Math.floor((1_000 * delivered) / made),
    p50Ms: stats.p50Ms,
    p95Ms: stats.p95Ms,
    backlog: stats.backlog,
    oldestDueAt: isoOrNull(stats.oldestDueAtMs),
    nextProbeAt: isoOrNull(stats.nextProbeAtMs),
  }
}

/** How an endpoint is doing. */
export const statsOperations: readonly Operation[] = [
  defineOperation({
    id: 'endpoint.stats',
    summary: 'See how an endpoint has been doing',
    description:
      'The last 24 hours of live traffic (what was sent once more does not count), and what waits now.',
    method: 'GET',
    path: `${endpointPath}/stats`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, endpointId }),
    output: Stats,
    errors: [WebhooksErrors.endpoint_not_found],
    async handle({ queries, tenantIds, input, clock }) {
      const stats = await findStats(queries, tenantIds, { ...input, nowMs: clock.nowMs() })
      if (stats === null) throw WebhooksErrors.endpoint_not_found()
      return toWireStats(stats)
    },
  }),
]
