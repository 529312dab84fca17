import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../../kernel/index.ts'
import { type ReplayDependencies, type RunningReplay, runReplay } from './run-replay.ts'
import { clearReplayLeases, listIdleReplays } from './store.ts'

/** Works on several replays at once, beside live traffic. */
export interface Replayer {
  /** Whether this process works on replays from now on, until it stops. */
  start(): Promise<void>
  /** Goes on with the replay when there is room; otherwise the sweep comes back to it. */
  wake(replayId: string): void
  /** Finds replays that nobody works on, and wakes them. */
  sweep(): Promise<void>
  /** Works on everything that runs until nothing goes on; gives the deliveries dealt with. Works without `start`. */
  runNow(): Promise<number>
  /** Lets what is in flight end, at most `withinMs`, and gives every lease back. */
  stop(withinMs: number): Promise<void>
}

interface State {
  readonly deps: ReplayDependencies
  readonly running: Map<string, RunningReplay>
  open: boolean
  done: number
}

async function follow(s: State, replayId: string, replay: RunningReplay): Promise<void> {
  try {
    s.done += await replay.ended
  } catch (error) {
    s.deps.log.error({ err: error, replayId }, 'webhooks.replay_failed')
  }
  s.running.delete(replayId)
}

function begin(s: State, replayId: string): void {
  if (!s.open || s.running.has(replayId) || s.running.size >= limits.replaysMax) return
  const replay = runReplay(s.deps, replayId)
  s.running.set(replayId, replay)
  void follow(s, replayId, replay)
}

async function sweep(s: State): Promise<void> {
  const room = limits.replaysMax - s.running.size
  if (!s.open || room <= 0) return
  const { db, clock } = s.deps
  const search = { nowMs: clock.nowMs(), exceptIds: [...s.running.keys()], replaysMax: room }
  for (const replayId of await listIdleReplays(db.queries, search)) begin(s, replayId)
}

async function allEnded(s: State): Promise<void> {
  while (s.running.size > 0) {
    await Promise.allSettled([...s.running.values()].map(({ ended }) => ended))
    // One turn, in which the ends are followed up.
    await sleep(0)
  }
}

async function runNow(s: State): Promise<number> {
  const wasOpen = s.open
  s.open = true
  let total = 0
  for (;;) {
    s.done = 0
    await sweep(s)
    await allEnded(s)
    if (s.done === 0) break
    total += s.done
  }
  s.open = wasOpen
  return total
}

async function stop(s: State, withinMs: number): Promise<void> {
  s.open = false
  for (const replay of s.running.values()) replay.close()
  const timer = setTimeout(() => {
    for (const replay of s.running.values()) replay.abandon()
  }, withinMs)
  await allEnded(s)
  clearTimeout(timer)
}

/** Makes the process's replayer. It does nothing until it is started. */
export function makeReplayer(deps: ReplayDependencies): Replayer {
  const s: State = { deps, running: new Map(), open: false, done: 0 }
  return {
    async start() {
      // One process owns an embedded database, so whoever holds a lease there is dead.
      if (deps.db.kind === 'pglite') await clearReplayLeases(deps.db.queries)
      s.open = true
      await sweep(s)
    },
    wake: (replayId) => begin(s, replayId),
    sweep: () => sweep(s),
    runNow: () => runNow(s),
    stop: (withinMs) => stop(s, withinMs),
  }
}
