import type { Random } from '../../src/kernel/index.ts'
import { type Failing, failings } from './behaviour.ts'
import type { Scenario } from './scenarios.ts'

/** What is done to the platform. */
export type Strike =
  | { readonly kind: 'kill'; readonly target: 'worker' | 'api' | 'stoa'; readonly skewMs: number }
  | { readonly kind: 'crash-postgresql' }
  | { readonly kind: 'end-sessions' }
  | { readonly kind: 'empty-redis' }
  | { readonly kind: 'stop-redis' }
  | { readonly kind: 'answer-410' }
  | { readonly kind: 'failing-receiver'; readonly failing: Failing }

export interface PlannedStrike {
  readonly strike: Strike
  /** Begins when so many events have been acknowledged. */
  readonly at: number
  /** From the moment enough is in flight to the blow. */
  readonly pauseMs: number
}

// A lease lasts 6 s and the sweep finds what it covered within 1 s more. Between a process that is ahead and one that
// is behind lies twice this skew: within the 10 s promised that leaves room for one second.
const skewMsMax = 1_000

const pauseMsMax = 400

/** Position in the run: none right at its start, and events are still published after the last. */
const spread = { from: 0.04, to: 0.85 } as const

function shuffle<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, rank: random.fraction() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}

// A delivery that hangs comes again after 15 s and 5 s: late in a run everybody would wait for it.
const lasting: readonly Failing[] = ['hang', 'drip']

function lastingFirst(strikes: readonly Strike[]): readonly Strike[] {
  const isLasting = (strike: Strike) => strike.kind === 'failing-receiver' && lasting.includes(strike.failing)
  const half = Math.ceil(strikes.length / 2)
  const [early, late] = [strikes.slice(0, half), strikes.slice(half)]
  const moved = late.filter(isLasting)
  const others = early.filter((strike) => !isLasting(strike))
  const back = others.slice(0, moved.length)
  return [
    ...early.filter((strike) => !back.includes(strike)),
    ...moved,
    ...back,
    ...late.filter((strike) => !isLasting(strike)),
  ]
}

function drawSkew(random: Random): number {
  // Half of the processes are right.
  const drawn = random.fraction()
  return drawn < 0.5 ? 0 : Math.round((drawn - 0.75) * 4 * skewMsMax)
}

function killsOf({ nodes }: Scenario, kills: number, random: Random): readonly Strike[] {
  return Array.from({ length: kills }, (_, index) => {
    const skewMs = drawSkew(random)
    if (nodes === 'one') return { kind: 'kill', target: 'stoa', skewMs }
    // The first two are one of each; then workers, which hold what is in flight, more often than not.
    const isApi = index < 2 ? index === 1 : random.fraction() < 0.35
    return { kind: 'kill', target: isApi ? 'api' : 'worker', skewMs }
  })
}

function times(count: number, strike: Strike): readonly Strike[] {
  return Array.from({ length: count }, () => strike)
}

/** Draws what happens in a run and when. The same seed draws the same plan. */
export function drawPlan(
  scenario: Scenario,
  run: { readonly events: number; readonly kills: number },
  random: Random,
): readonly PlannedStrike[] {
  const { events, kills } = run
  const server = scenario.nodes === 'separate'
  const strikes = shuffle(
    [
      ...killsOf(scenario, kills, random),
      ...times(server ? Math.ceil(kills / 6) : 0, { kind: 'crash-postgresql' }),
      ...times(server ? Math.ceil(kills / 8) : 0, { kind: 'end-sessions' }),
      ...times(scenario.redis ? Math.ceil(kills / 4) : 0, { kind: 'empty-redis' }),
      ...times(scenario.redis ? Math.ceil(kills / 8) : 0, { kind: 'stop-redis' }),
      ...failings.map((failing): Strike => ({ kind: 'failing-receiver', failing })),
    ],
    random,
  )
  // Before any kill: what a 410 has ended must stay so through all of them.
  const inOrder: readonly Strike[] = [{ kind: 'answer-410' }, ...lastingFirst(strikes)]
  const share = (spread.to - spread.from) / inOrder.length
  return inOrder.map((strike, index) => ({
    strike,
    // At least half a share apart: each strike needs deliveries of its own.
    at: Math.round(events * (spread.from + share * (index + random.fraction() / 2))),
    pauseMs: Math.round(random.fraction() * pauseMsMax),
  }))
}
