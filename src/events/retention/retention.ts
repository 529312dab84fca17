import { type Removed, type RetentionDependencies, removeOld } from './remove-old.ts'

/** Removes what is no longer kept; one round at a time per process. */
export interface Retention {
  /** Runs a round, or joins the one that runs. */
  run(): Promise<Removed>
  /** The round that runs ends after its present transaction. */
  stop(): Promise<void>
}

/** Makes the retention of one process. It does nothing until it is run. */
export function makeRetention(deps: Omit<RetentionDependencies, 'isStopping'>): Retention {
  let running: Promise<Removed> | null = null
  let stopping = false
  return {
    run() {
      running ??= removeOld({ ...deps, isStopping: () => stopping }).finally(() => {
        running = null
      })
      return running
    },
    async stop() {
      stopping = true
      await running?.catch(() => undefined)
    },
  }
}
