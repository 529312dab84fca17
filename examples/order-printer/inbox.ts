import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/** The event's body: CloudEvents 1.0 in JSON. */
export interface StoaEvent {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly merchantid: string
  readonly data: unknown
}

/** One event at its place in the app's stream, by whatever way it came. */
export interface Arrival {
  readonly sequence: number
  readonly event: StoaEvent
  readonly via: 'webhook' | 'pull' | 'websocket'
}

/** Handles each event once, and knows up to where nothing is missing. */
export interface Inbox {
  /** Resolves when the event has been handled, now or earlier; rejects when handling failed. */
  take(arrival: Arrival): Promise<void>
  /** Nothing is to be had at these places. */
  skip(from: number, to: number): Promise<void>
  /** Everything up to here has been handled; null: nothing is known yet. */
  doneUpTo(): number | null
  /** Something later has arrived than the next in line. */
  hasGap(): boolean
}

/** What a restart must remember. A real backend keeps it in its database, in the transaction that handles the event. */
interface State {
  doneUpTo: number | null
  /** Handled, with a gap before. */
  later: number[]
  /** Ids of handled events, newest last: an event can come twice. */
  seen: string[]
}

const seenMax = 10_000

function read(file: string): State {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as State
  } catch {
    return { doneUpTo: null, later: [], seen: [] }
  }
}

/** `file` null: in memory only. */
export function openInbox(file: string | null, handle: (arrival: Arrival) => Promise<void>): Inbox {
  const state: State = file === null ? { doneUpTo: null, later: [], seen: [] } : read(file)
  // One after the other: the same event may come by two ways at once.
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => Promise<T> | T): Promise<T> {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }

  function save(): void {
    if (file === null) return
    // A crash leaves the old file or the new one, never half of one.
    writeFileSync(`${file}.new`, JSON.stringify(state))
    renameSync(`${file}.new`, file)
  }

  function note(from: number, to: number): void {
    const places = new Set(state.later)
    for (let place = Math.max(from, (state.doneUpTo ?? 0) + 1); place <= to; place += 1) places.add(place)
    while (places.delete((state.doneUpTo ?? 0) + 1)) state.doneUpTo = (state.doneUpTo ?? 0) + 1
    state.later = [...places].filter((place) => place > (state.doneUpTo ?? 0)).sort((a, b) => a - b)
    save()
  }

  return {
    take: (arrival) =>
      inTurn(async () => {
        if (!state.seen.includes(arrival.event.id)) {
          await handle(arrival)
          state.seen = [...state.seen, arrival.event.id].slice(-seenMax)
        }
        note(arrival.sequence, arrival.sequence)
      }),
    skip: (from, to) =>
      inTurn(() => {
        // What is long gone is not walked through place by place.
        if (from <= (state.doneUpTo ?? 0) + 1) state.doneUpTo = Math.max(state.doneUpTo ?? 0, to)
        note(from, Math.min(to, from + seenMax))
      }),
    doneUpTo: () => state.doneUpTo,
    hasGap: () => state.later.length > 0,
  }
}
