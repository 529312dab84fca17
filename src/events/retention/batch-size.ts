import { limits } from '../../kernel/index.ts'

/** The first batch of a step: what a row costs is not known yet. */
export const firstBatchRows = 10

const shortMs = 250
const longMs = 1_000

/** How many rows the next transaction takes, after one of `rows` took `durationMs`: it stays well below a second. */
export function nextBatchRows(rows: number, durationMs: number): number {
  if (durationMs > longMs) return Math.max(1, Math.floor(rows / 4))
  return durationMs < shortMs ? Math.min(limits.retentionBatchMax, rows * 2) : rows
}
