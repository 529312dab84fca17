import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The numbers of /metrics, in the Prometheus text format. */
export interface Metrics {
  observe(operationId: string, status: number, durationMs: number): void
  render(): Promise<string>
}

/** Where the numbers of the event path come from. */
export interface EventNumbers {
  /** Of this process, since it started. */
  counts(): {
    readonly attempts: Readonly<Partial<Record<string, number>>>
    readonly attemptSeconds: number
    readonly leaseTakeovers: number
    readonly relayBatches: number
    readonly relayedEvents: number
    readonly relayedDeliveries: number
    readonly attemptsInFlight: number
    readonly streamsDraining: number
  }
  /** Of the whole platform, a few seconds old at most; null: the database does not answer. */
  backlog(): Promise<{
    readonly unrelayed: number
    readonly unrelayedAgeMs: number
    readonly due: number
    readonly dueAgeMs: number
  } | null>
}

/** Where the numbers of quotas come from: of this process, since it started. */
export interface QuotaNumbers {
  counts(): { readonly refused: Readonly<Partial<Record<string, number>>>; readonly uncounted: number }
}

/** A number that is asked for when it is shown. */
interface Shown {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  read(): number
}

function addShown(registry: Registry, { name, help, kind, read }: Shown): void {
  const options = { name, help, registers: [registry] }
  if (kind === 'gauge') {
    const gauge: Gauge = new Gauge({ ...options, collect: () => gauge.set(read()) })
    return
  }
  const counter: Counter = new Counter({
    ...options,
    collect() {
      counter.reset()
      counter.inc(read())
    },
  })
}

/** A counter per value of one label. */
interface ShownByLabel extends Pick<Shown, 'name' | 'help'> {
  readonly label: string
  read(): Readonly<Partial<Record<string, number>>>
}

function addByLabel(registry: Registry, { name, help, label, read }: ShownByLabel): void {
  const counter: Counter = new Counter({
    ...{ name, help, labelNames: [label], registers: [registry] },
    collect() {
      counter.reset()
      for (const [value, count] of Object.entries(read())) counter.inc({ [label]: value }, count ?? 0)
    },
  })
}

function addCounts(registry: Registry, { counts }: EventNumbers): void {
  const shown: readonly Shown[] = [
    {
      name: 'stoa_attempts_in_flight',
      help: 'Attempts that this process has begun and not ended',
      kind: 'gauge',
      read: () => counts().attemptsInFlight,
    },
    {
      name: 'stoa_streams_draining',
      help: 'Streams that this process drains',
      kind: 'gauge',
      read: () => counts().streamsDraining,
    },
    {
      name: 'stoa_attempt_seconds_total',
      help: 'Duration of all attempts together',
      kind: 'counter',
      read: () => counts().attemptSeconds,
    },
    {
      name: 'stoa_lease_takeovers_total',
      help: 'Streams taken over from a drain that did not give them back',
      kind: 'counter',
      read: () => counts().leaseTakeovers,
    },
    {
      name: 'stoa_relay_batches_total',
      help: 'Batches that this process moved from the outbox to the streams',
      kind: 'counter',
      read: () => counts().relayBatches,
    },
    {
      name: 'stoa_relayed_events_total',
      help: 'Events in these batches',
      kind: 'counter',
      read: () => counts().relayedEvents,
    },
    {
      name: 'stoa_relayed_deliveries_total',
      help: 'Deliveries made of them',
      kind: 'counter',
      read: () => counts().relayedDeliveries,
    },
  ]
  for (const one of shown) addShown(registry, one)

  addByLabel(registry, {
    name: 'stoa_attempts_total',
    help: 'Attempts that ended in this process, by outcome',
    label: 'outcome',
    read: () => counts().attempts,
  })
}

/** Gauges of the whole platform; NaN while the database does not answer. Gives what sets them. */
function addBacklog(registry: Registry, { backlog }: EventNumbers): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  const unrelayed = gauge('stoa_outbox_events', 'Events that wait for the relay')
  const unrelayedAge = gauge('stoa_outbox_oldest_seconds', 'Age of the oldest of them; 0: none')
  const due = gauge('stoa_deliveries_due', 'Deliveries that could be sent now')
  const dueAge = gauge(
    'stoa_deliveries_oldest_due_seconds',
    'How long the oldest of them has been due; 0: none',
  )
  return async () => {
    const now = await backlog()
    unrelayed.set(now?.unrelayed ?? Number.NaN)
    unrelayedAge.set(now === null ? Number.NaN : now.unrelayedAgeMs / 1000)
    due.set(now?.due ?? Number.NaN)
    dueAge.set(now === null ? Number.NaN : now.dueAgeMs / 1000)
  }
}

function addQuotaCounts(registry: Registry, { counts }: QuotaNumbers): void {
  addShown(registry, {
    name: 'stoa_quota_uncounted_total',
    help: 'Requests that went on uncounted because the store of quotas did not answer',
    kind: 'counter',
    read: () => counts().uncounted,
  })
  addByLabel(registry, {
    name: 'stoa_quota_refused_total',
    help: 'Requests refused because a quota was used up, by quota',
    label: 'quota',
    read: () => counts().refused,
  })
}

/** An empty registry of its own: two platforms in one process do not share numbers. */
export function makeMetrics({
  events,
  quotas,
}: {
  readonly events: EventNumbers
  readonly quotas: QuotaNumbers
}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'stoa_operation_seconds',
    help: 'Duration of operations answered over HTTP',
    labelNames: ['operation', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  })
  addCounts(registry, events)
  addQuotaCounts(registry, quotas)
  const setBacklog = addBacklog(registry, events)
  return {
    observe(operationId, status, durationMs) {
      requests.observe({ operation: operationId, status: String(status) }, durationMs / 1000)
    },
    async render() {
      await setBacklog()
      return registry.metrics()
    },
  }
}
