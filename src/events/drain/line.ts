import type { DueDelivery } from './store.ts'

/** What the line has to know of a delivery. */
export type Lined = Pick<DueDelivery, 'id' | 'merchantId' | 'subject' | 'sequence'>

/** A subject belongs to a merchant: two merchants' order 17 are two subjects. */
export interface SubjectKeys {
  readonly merchantIds: readonly string[]
  readonly subjects: readonly string[]
}

/**
 * The deliveries that a drain has in hand: claimed and waiting their turn, or begun and not yet recorded. Merchants
 * take turns. In order (FIFO), a delivery is begun only when none before it of its subject is in hand.
 */
export interface Line<D extends Lined> {
  /** Of one claim, in the order of sending. What one subject has beyond `limits.drainSubjectMax` is left for later. */
  add(claimed: readonly D[], inOrder: boolean): void
  /** The next one that may begin; it is in hand until it is released. */
  take(inOrder: boolean): D | undefined
  /** Recorded. */
  release(delivery: D): void
  /** Those behind it, of its subject, must not begin: it has to be sent again first. */
  dropFollowers(delivery: D): void
  /** Nothing that has not begun is in hand any more. */
  clear(): void
  waiting(): number
  hasReady(inOrder: boolean): boolean
  /** How many of the waiting ones could begin at once. */
  ready(inOrder: boolean): number
  /** Everything in hand. */
  ids(): readonly string[]
  merchantIds(): readonly string[]
  subjects(): SubjectKeys
  /** Whether a subject has left the hand altogether since the last call: there may be more of it. */
  tookLeave(): boolean
}

// NUL separates: it occurs in no id, and no text in PostgreSQL holds one.
const keyOf = ({ merchantId, subject }: Lined): string => `${merchantId}\u0000${subject}`

/** The first of each merchant, the second of each …; the order within a merchant stays. */
export function interleave<D extends Lined>(deliveries: readonly D[]): D[] {
  const queues = new Map<string, D[]>()
  for (const delivery of deliveries) {
    const queue = queues.get(delivery.merchantId)
    if (queue === undefined) queues.set(delivery.merchantId, [delivery])
    else queue.push(delivery)
  }
  if (queues.size < 2) return [...deliveries]
  const rounds = [...queues.values()].flatMap((queue) =>
    queue.map((delivery, round) => ({ delivery, round })),
  )
  return rounds.sort((a, b) => a.round - b.round).map(({ delivery }) => delivery)
}

function bySequence(a: Lined, b: Lined): number {
  return a.sequence < b.sequence ? -1 : 1
}

function counted(counts: Map<string, number>, key: string, by: 1 | -1): number {
  const count = (counts.get(key) ?? 0) + by
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
  return count
}

/** At most so many of each subject, the first ones. */
function capped<D extends Lined>(claimed: readonly D[], perSubjectMax: number): readonly D[] {
  const counts = new Map<string, number>()
  return claimed.filter((delivery) => counted(counts, keyOf(delivery), 1) <= perSubjectMax)
}

/** Makes the empty line of one drain. */
export function makeLine<D extends Lined>(perSubjectMax: number): Line<D> {
  let queue: D[] = []
  const begun = new Map<string, D>()
  /** How many of each subject have begun; null until somebody asks for order: most streams never do. */
  let busy: Map<string, number> | null = null
  let left = false

  function busySubjects(): Map<string, number> {
    if (busy !== null) return busy
    busy = new Map()
    for (const delivery of begun.values()) counted(busy, keyOf(delivery), 1)
    return busy
  }
  const isReady = (delivery: D): boolean => !busySubjects().has(keyOf(delivery))
  const inHand = (): readonly D[] => [...queue, ...begun.values()]

  function nextIndex(inOrder: boolean): number {
    return inOrder ? queue.findIndex(isReady) : 0
  }

  return {
    add(claimed, inOrder) {
      const all = [...queue, ...(inOrder ? capped(claimed, perSubjectMax) : claimed)]
      queue = interleave(inOrder ? all.sort(bySequence) : all)
    },
    take(inOrder) {
      const index = nextIndex(inOrder)
      const delivery = queue[index]
      if (delivery === undefined) return undefined
      if (index === 0) queue.shift()
      else queue.splice(index, 1)
      begun.set(delivery.id, delivery)
      if (busy !== null) counted(busy, keyOf(delivery), 1)
      return delivery
    },
    release(delivery) {
      begun.delete(delivery.id)
      if (busy !== null && counted(busy, keyOf(delivery), -1) === 0) left = true
    },
    dropFollowers(delivery) {
      const key = keyOf(delivery)
      queue = queue.filter((other) => keyOf(other) !== key)
    },
    clear() {
      queue = []
    },
    waiting: () => queue.length,
    hasReady: (inOrder) => (inOrder ? queue.some(isReady) : queue.length > 0),
    ready(inOrder) {
      if (!inOrder) return queue.length
      return new Set(queue.filter(isReady).map(keyOf)).size
    },
    ids: () => inHand().map(({ id }) => id),
    merchantIds: () => [...new Set(inHand().map(({ merchantId }) => merchantId))],
    subjects() {
      const first = new Map(inHand().map((delivery) => [keyOf(delivery), delivery]))
      const each = [...first.values()]
      return {
        merchantIds: each.map(({ merchantId }) => merchantId),
        subjects: each.map(({ subject }) => subject),
      }
    },
    tookLeave() {
      const result = left
      left = false
      return result
    },
  }
}
