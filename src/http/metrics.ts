import { Histogram, Registry } from 'prom-client'

/** The numbers of /metrics, in the Prometheus text format. */
export interface Metrics {
  observe(operationId: string, status: number, durationMs: number): void
  render(): Promise<string>
}

/** An empty registry of its own: two platforms in one process do not share numbers. */
export function makeMetrics(): Metrics {
  const registry = new Registry()
  const requests = new Histogram({
    name: 'stoa_operation_seconds',
    help: 'Duration of operations answered over HTTP',
    labelNames: ['operation', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  })
  return {
    observe(operationId, status, durationMs) {
      requests.observe({ operation: operationId, status: String(status) }, durationMs / 1000)
    },
    render: () => registry.metrics(),
  }
}
