/** The only way in which the event path waits, so that a simulation can move its time. */
export interface Timers {
  /** Runs `run` once after so many milliseconds; what it gives back cancels that. */
  after(delayMs: number, run: () => void): () => void
  /** Runs `run` every so many milliseconds until it is cancelled. */
  every(intervalMs: number, run: () => void): () => void
}

export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs)
    return () => clearInterval(timer)
  },
}

/** Resolves after so many milliseconds. */
export function sleep(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve)
  })
}
