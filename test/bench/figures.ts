/** Milliseconds below which 95 % of them lie. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? Number.NaN
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** For the last line; null: not measured. */
export function round(value: number | undefined, digits = 2): number | null {
  return value === undefined || Number.isNaN(value) ? null : Number(value.toFixed(digits))
}
