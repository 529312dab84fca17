import { limits, sleep } from '../../kernel/index.ts'
import type { Sink, SinkKind } from '../sink.ts'
import type { DrainDependencies } from './drain.ts'
import { type DrainEnd, drainStream, type RunningDrain } from './drain-stream.ts'
import { makeRecorder, type Recorder } from './record/recorder.ts'
import { makeTempos, type Tempos } from './tempos.ts'

export interface StreamRef {
  readonly id: string
  readonly sink: SinkKind
}

export interface DrainerDependencies extends Omit<DrainDependencies, 'othersWait' | 'recorder'> {
  /** The sinks this process serves. */
  readonly sinks: () => { readonly [K in SinkKind]?: Sink | undefined }
  /** The stream's next delivery is due then. */
  wakeLater(stream: StreamRef, dueAtMs: number): void
}

/** Drains many streams at once, each by one drain. */
export interface Drainer {
  /** Drains the stream, now or when there is room; a drain at work looks once more. */
  wake(stream: StreamRef): void
  /** Whether a woken stream would be drained soon: not behind more than `limits.drainStreamsWaitingMax` others. */
  hasRoom(): boolean
  /** Finds streams with due deliveries that nobody is draining, and wakes them; gives how many. */
  sweep(): Promise<number>
  /** Resolves when no drain is at work; gives how many results were recorded since the last call. */
  settle(): Promise<number>
  /** Lets what is in flight end, at most `withinMs`, and gives every lease back. */
  stop(withinMs: number): Promise<void>
}

interface State {
  readonly deps: DrainerDependencies
  readonly tempos: Tempos
  readonly recorder: Recorder
  readonly running: Map<string, RunningDrain>
  readonly waiting: Map<string, StreamRef>
  recorded: number
  stopping: boolean
}

function onEnd(s: State, stream: StreamRef, end: DrainEnd): void {
  if (end.kind === 'held') return
  s.recorded += end.recorded
  if (end.nextDueMs === null || s.stopping) return
  if (end.nextDueMs > s.deps.clock.nowMs()) s.deps.wakeLater(stream, end.nextDueMs)
  // A stream that is due but gave nothing to send is left to the sweeper's pace.
  else if (end.recorded > 0) wake(s, stream)
}

function leave(s: State, { id }: StreamRef): void {
  if (s.running.delete(id)) s.deps.meters.drainEnded()
}

async function follow(s: State, stream: StreamRef, drain: RunningDrain): Promise<void> {
  try {
    const end = await drain.ended
    leave(s, stream)
    // Those that wait take the free place before this stream may want it again.
    startWaiting(s)
    onEnd(s, stream, end)
  } catch (error) {
    leave(s, stream)
    s.deps.log.error({ err: error, streamId: stream.id }, 'events.drain_failed')
  }
  startWaiting(s)
}

function wake(s: State, stream: StreamRef): void {
  if (s.stopping || s.deps.sinks()[stream.sink] === undefined) return
  const running = s.running.get(stream.id)
  if (running !== undefined) {
    running.poke()
    return
  }
  s.waiting.set(stream.id, stream)
  startWaiting(s)
}

/** First come, first served: a stream that ended its turn with more to send stands at the end. */
function startWaiting(s: State): void {
  for (const stream of s.waiting.values()) {
    if (s.stopping || s.running.size >= limits.drainStreamsMax) return
    s.waiting.delete(stream.id)
    const sink = s.deps.sinks()[stream.sink]
    if (sink === undefined) continue
    const { recorder } = s
    const deps = { ...s.deps, recorder, othersWait: () => s.waiting.size > 0 }
    const drain = drainStream(deps, s.tempos, { streamId: stream.id, sink })
    s.running.set(stream.id, drain)
    s.deps.meters.drainStarted()
    void follow(s, stream, drain)
  }
}

async function allEnded(s: State): Promise<void> {
  while (s.running.size > 0) {
    await Promise.allSettled([...s.running.values()].map(({ ended }) => ended))
    // One turn, in which the ends are followed up.
    await sleep(s.deps.timers, 0)
  }
}

async function sweep(s: State): Promise<number> {
  const { store, clock, sinks } = s.deps
  const served = (['backend', 'sandbox'] as const).filter((kind) => sinks()[kind] !== undefined)
  const streams = await store.listDueStreams({
    sinks: served,
    nowMs: clock.nowMs(),
    streamsMax: limits.sweepStreamsMax,
  })
  for (const stream of streams) wake(s, stream)
  return streams.length
}

async function stop(s: State, withinMs: number): Promise<void> {
  s.stopping = true
  s.waiting.clear()
  for (const drain of s.running.values()) drain.close()
  const cancelAbandon = s.deps.timers.after(withinMs, () => {
    for (const drain of s.running.values()) drain.abandon()
  })
  await allEnded(s)
  cancelAbandon()
}

/** Makes the process's drainer. It does nothing until it is woken. */
export function makeDrainer(deps: DrainerDependencies): Drainer {
  const s: State = {
    ...{ deps, tempos: makeTempos(), recorder: makeRecorder(deps.store) },
    ...{ running: new Map(), waiting: new Map() },
    ...{ recorded: 0, stopping: false },
  }
  return {
    wake: (stream) => wake(s, stream),
    hasRoom: () => s.waiting.size < limits.drainStreamsWaitingMax,
    sweep: () => sweep(s),
    async settle() {
      await allEnded(s)
      const { recorded } = s
      s.recorded = 0
      return recorded
    },
    stop: (withinMs) => stop(s, withinMs),
  }
}
