/** How many may be here at once, altogether and per key. */
export interface Places {
  /** Takes one; what it refuses with says which bound is reached. */
  take(key: string): 'taken' | 'key_is_full' | 'full'
  /** Gives one back that was taken. */
  leave(key: string): void
}

/** Counts in memory, so per process. */
export function makePlaces(bounds: { readonly perKeyMax: number; readonly max: number }): Places {
  const byKey = new Map<string, number>()
  let total = 0
  return {
    take(key) {
      const count = byKey.get(key) ?? 0
      if (count >= bounds.perKeyMax) return 'key_is_full'
      if (total >= bounds.max) return 'full'
      byKey.set(key, count + 1)
      total += 1
      return 'taken'
    },
    leave(key) {
      const count = byKey.get(key) ?? 0
      if (count === 0) return
      if (count === 1) byKey.delete(key)
      else byKey.set(key, count - 1)
      total -= 1
    },
  }
}
