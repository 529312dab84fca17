/** See `oncePerKey`. */
export interface OncePerKey {
  call(key: string): Promise<void>
  /** How many keys run now. */
  running(): number
  /** Resolves when none of the keys that run now runs any more. */
  rested(): Promise<void>
}

/**
 * Makes a function that never runs twice at a time for one key: a call that comes while the key runs makes it run once
 * more when it is done, however many such calls come. It resolves when its key rests, or at once when the key runs.
 */
export function oncePerKey(run: (key: string) => Promise<void>): OncePerKey {
  const runs = new Map<string, Promise<void>>()
  const again = new Set<string>()
  const runUntilRested = async (key: string) => {
    try {
      do {
        again.delete(key)
        await run(key)
      } while (again.has(key))
    } finally {
      runs.delete(key)
    }
  }
  return {
    async call(key) {
      if (runs.has(key)) {
        again.add(key)
        return
      }
      // Started in the next microtask, so that `run` finds its key in `runs`.
      const running = Promise.resolve(key).then(runUntilRested)
      runs.set(key, running)
      await running
    },
    running: () => runs.size,
    async rested() {
      await Promise.allSettled(runs.values())
    },
  }
}
