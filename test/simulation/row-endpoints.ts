import type { ChangedEndpoint, TriedEndpoint } from '../../src/webhooks/state/store.ts'
import type { ReceiverRow } from '../../src/webhooks/store.ts'
import { change, endpointOf, type Row, type Rows, type Tables } from './rows.ts'

// What src/webhooks/store.ts and state/store.ts do to the database as far as sending needs it, done to rows.

export function findReceiver(rows: Rows, streamId: string, nowMs: number): ReceiverRow | null {
  const e = endpointOf(rows, streamId)
  if (e === undefined) return null
  const isProbe = e.state === 'paused' && e.probe_at !== null && e.probe_at <= nowMs
  if (e.state !== 'active' && !isProbe) return null
  const secrets = [...rows.endpoint_secret.values()]
    .filter((s) => s.endpoint_id === e.id && (s.expires_at === null || s.expires_at > nowMs))
    .sort((a, b) => b.created_at - a.created_at)
  return {
    endpointId: e.id,
    streamId,
    url: e.url,
    probing: e.state === 'paused',
    probeFailures: e.probe_failures,
    fifo: e.fifo,
    ratePerSecond: e.rate_per_second,
    startSequence: BigInt(e.start_sequence),
    lastSuccessAtMs: e.last_success_at,
    failingSinceMs: e.failing_since,
    secrets: secrets.map(({ id, sealed }) => ({ id, sealed })),
  }
}

/** The endpoint that was tried, unless it is another one's stream or URL by now. */
function findTried(rows: Rows, { endpointId, streamId, url }: TriedEndpoint): Row<'endpoint'> | null {
  const endpoint = rows.endpoint.get(endpointId)
  return endpoint?.stream_id === streamId && endpoint.url === url ? endpoint : null
}

function changed(
  rows: Rows,
  endpoint: Row<'endpoint'>,
  members: Partial<Tables['endpoint']>,
): ChangedEndpoint {
  change(rows, 'endpoint', endpoint.id, members)
  const { publisher_id: publisherId, app_id: appId, id: endpointId, url } = endpoint
  return { publisherId, appId, appName: rows.app.get(appId)?.name ?? '', endpointId, url }
}

export function markPaused(
  rows: Rows,
  tried: TriedEndpoint,
  to: {
    readonly reason: string
    readonly nowMs: number
    readonly probeAtMs: number
    readonly failingSinceMsMax: number | null
  },
): ChangedEndpoint | null {
  const endpoint = findTried(rows, tried)
  if (endpoint?.state !== 'active') return null
  const { failing_since: failingSinceMs } = endpoint
  const { failingSinceMsMax } = to
  if (failingSinceMsMax !== null && (failingSinceMs === null || failingSinceMs > failingSinceMsMax))
    return null
  const state = { state: 'paused', state_reason: to.reason } as const
  return changed(rows, endpoint, {
    ...{ ...state, paused_at: to.nowMs, probe_at: to.probeAtMs, probe_failures: 0 },
  })
}

export function markResumed(rows: Rows, tried: TriedEndpoint, nowMs: number): ChangedEndpoint | null {
  const endpoint = findTried(rows, tried)
  if (endpoint?.state !== 'paused' || endpoint.probe_at === null) return null
  return changed(rows, endpoint, { ...atWork, last_success_at: nowMs })
}

/** Free of what a pause has left. */
export const atWork = {
  state: 'active',
  state_reason: null,
  paused_at: null,
  probe_at: null,
  probe_failures: 0,
  failing_since: null,
} as const

export function markStopped(rows: Rows, tried: TriedEndpoint, reason: string): ChangedEndpoint | null {
  const endpoint = findTried(rows, tried)
  if (endpoint?.state !== 'active' && endpoint?.state !== 'paused') return null
  const state = { state: 'stopped', state_reason: reason } as const
  return changed(rows, endpoint, { ...state, paused_at: null, probe_at: null })
}

export function postponeProbe(
  rows: Rows,
  tried: TriedEndpoint,
  probe: { readonly failuresBefore: number; readonly probeAtMs: number },
): void {
  const endpoint = findTried(rows, tried)
  if (endpoint?.state !== 'paused' || endpoint.probe_at === null) return
  if (endpoint.probe_failures !== probe.failuresBefore) return
  const failures = endpoint.probe_failures + 1
  change(rows, 'endpoint', endpoint.id, { probe_at: probe.probeAtMs, probe_failures: failures })
}

export function noteHealth(
  rows: Rows,
  { endpointId, streamId }: TriedEndpoint,
  { delivered, nowMs }: { readonly delivered: boolean; readonly nowMs: number },
): void {
  const endpoint = rows.endpoint.get(endpointId)
  if (endpoint?.stream_id !== streamId) return
  change(
    rows,
    'endpoint',
    endpointId,
    delivered
      ? { last_success_at: nowMs, failing_since: null }
      : { failing_since: endpoint.failing_since ?? nowMs },
  )
}
