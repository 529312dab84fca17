/** A bound of the system: value, unit and why. docs/reference/limits.md is printed from the table in limits.ts. */
export interface Limit {
  readonly value: number
  readonly unit: string
  readonly reason: string
}

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
export const kib = 1024
export const mib = 1024 * kib

/** One row. */
export function limit(value: number, unit: string, reason: string): Limit {
  return { value, unit, reason }
}
