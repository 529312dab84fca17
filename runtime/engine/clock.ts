/** Time for limits, given by the surroundings: never what the guest sees. */
export interface EngineClock {
  /** Monotonic, in ms. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void
}
