import type { DeliveryState } from '../../src/events/index.ts'

// The rows of the event path as plain data: names as in the database, times in milliseconds. A row is never changed,
// only replaced, so that a copy of the maps is a copy of everything.

export interface Tables {
  app: { id: string; publisher_id: string; name: string; archived_at: number | null }
  stream: {
    id: string
    app_id: string
    sink: 'backend' | 'sandbox'
    next_sequence: number
    lease_owner: string | null
    lease_until: number | null
    lease_epoch: number
    paused_at: number | null
  }
  endpoint: {
    id: string
    publisher_id: string
    app_id: string
    stream_id: string
    url: string
    state: 'unverified' | 'active' | 'paused' | 'stopped'
    state_reason: string | null
    fifo: boolean
    rate_per_second: number | null
    start_sequence: number
    last_success_at: number | null
    failing_since: number | null
    paused_at: number | null
    probe_at: number | null
    probe_failures: number
  }
  endpoint_secret: {
    id: string
    endpoint_id: string
    sealed: string
    created_at: number
    expires_at: number | null
  }
  installation: { id: string; merchant_id: string; app_id: string; state: string }
  grant: {
    id: string
    installation_id: string
    merchant_id: string
    app_id: string
    granted: readonly string[]
    epoch: number
    revoked_at: number | null
  }
  subscription: {
    id: string
    merchant_id: string
    installation_id: string
    app_id: string
    stream_id: string
    event_type: string
    event_version: number
    ended_at: number | null
  }
  event: {
    id: string
    seq: number
    source: string
    external_id: string | null
    type: string
    version: number
    merchant_id: string
    subject: string
    data: string
    occurred_at: number
    created_at: number
    relayed_at: number | null
  }
  body: {
    hash: string
    merchant_id: string
    event_id: string
    text: string
    personal: boolean
    created_at: number
  }
  delivery: {
    id: string
    merchant_id: string
    installation_id: string
    app_id: string
    stream_id: string
    sequence: number
    subscription_id: string
    event_id: string
    event_type: string
    subject: string
    scopes: readonly string[]
    body_hash: string | null
    state: DeliveryState
    attempts: number
    due_at: number
    created_at: number
    finished_at: number | null
    last_outcome: string | null
  }
  attempt: {
    id: string
    merchant_id: string
    app_id: string
    stream_id: string
    delivery_id: string
    number: number
    started_at: number
    duration_ms: number
    outcome: string
    status: number | null
    error: string | null
    response: string | null
    log: string | null
    replay_id: string | null
  }
  rule: {
    id: string
    effect: string
    app_id: string | null
    publisher_id: string | null
    merchant_id: string | null
    scope: string | null
    version_id: string | null
    host: string | null
    expires_at: number | null
    lifted_at: number | null
  }
  notice: { id: string; publisher_id: string | null; kind: string }
}

export type TableName = keyof Tables
export type Row<T extends TableName> = Readonly<Tables[T]>
/** By id; bodies by their hash. */
export type Rows = { readonly [T in TableName]: Map<string, Row<T>> }

export const tableNames = [
  ...(['app', 'stream', 'endpoint', 'endpoint_secret', 'installation', 'grant', 'subscription'] as const),
  ...(['event', 'body', 'delivery', 'attempt', 'rule', 'notice'] as const),
] satisfies readonly TableName[]

export function emptyRows(): Rows {
  return Object.fromEntries(tableNames.map((name) => [name, new Map()])) as unknown as Rows
}

export function copyRows(rows: Rows): Rows {
  return Object.fromEntries(tableNames.map((name) => [name, new Map<string, unknown>(rows[name])])) as Rows
}

/** Replaces members of one row. */
export function change<T extends TableName>(
  rows: Rows,
  table: T,
  id: string,
  members: Partial<Tables[T]>,
): void {
  const map: Map<string, Row<T>> = rows[table]
  const row = map.get(id)
  if (row !== undefined) map.set(id, { ...row, ...members })
}

export function isOpen({ state }: Row<'delivery'>): boolean {
  return state === 'pending' || state === 'waiting'
}

export function endpointOf(rows: Rows, streamId: string): Row<'endpoint'> | undefined {
  for (const endpoint of rows.endpoint.values()) if (endpoint.stream_id === streamId) return endpoint
  return undefined
}

export function grantOf(rows: Rows, installationId: string): Row<'grant'> | undefined {
  for (const grant of rows.grant.values()) if (grant.installation_id === installationId) return grant
  return undefined
}
