import type { AcknowledgedLine, Evidence, FaultLine, ReceivedLine } from './lines.ts'

/** The promise: what was in flight at a kill is delivered again within this time. */
const recoveryPromisedMs = 10_000

/** What came of a run. `problems` is empty when every promise was kept. */
export interface Verdict {
  readonly published: number
  readonly delivered: number
  readonly lost: number
  readonly duplicates: number
  readonly orderViolations: number
  /** Of all faults together: more duplicates than that cannot be their doing. */
  readonly inFlight: number
  /** Those of them that the receiver had not answered yet. */
  readonly open: number
  /** Milliseconds from the moment somebody could deliver again to each redelivery of what was in flight. */
  readonly recoveriesMs: readonly number[]
  /** The same from the fault itself. */
  readonly recoveriesFromFaultMs: readonly number[]
  readonly problems: readonly string[]
}

/** The smallest value that `share` of them do not exceed; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

const byName = ({ endpoint, type, subject }: AcknowledgedLine | ReceivedLine) =>
  `${endpoint} ${type} ${subject}`
const byId = ({ endpoint, id }: AcknowledgedLine | ReceivedLine) => `${endpoint} ${id}`

interface Books {
  readonly keyOf: (line: AcknowledgedLine | ReceivedLine) => string
  readonly acknowledged: ReadonlyMap<string, readonly AcknowledgedLine[]>
  /** The answers `ok` alone, in the order of the file. */
  readonly taken: ReadonlyMap<string, readonly ReceivedLine[]>
}

function openBooks({ acknowledged, received }: Evidence): Books {
  // Where publishing tells no id, type and subject say which event it is.
  const ids = new Set(acknowledged.map(({ id }) => id))
  const keyOf = (line: AcknowledgedLine | ReceivedLine) =>
    line.id !== null && ids.has(line.id) ? byId(line) : byName(line)
  return {
    keyOf,
    acknowledged: groupBy(acknowledged, keyOf),
    taken: groupBy(
      received.filter(({ answer }) => answer === 'ok'),
      keyOf,
    ),
  }
}

const shownMax = 10

function tell(what: string, cases: readonly string[]): readonly string[] {
  if (cases.length === 0) return []
  const more = cases.length > shownMax ? ` and ${cases.length - shownMax} more` : ''
  return [`${cases.length} ${what}: ${cases.slice(0, shownMax).join(', ')}${more}`]
}

/** Each fault excuses one duplicate of each event that was in flight at it. */
function unexplainedDuplicates(books: Books, faults: readonly FaultLine[]): readonly string[] {
  const excuses = new Map<string, number>()
  for (const id of faults.flatMap(({ inFlight }) => inFlight)) excuses.set(id, (excuses.get(id) ?? 0) + 1)
  return [...books.taken].flatMap(([key, [first, ...more]]) => {
    const left = more.length - (excuses.get(first?.id ?? '') ?? 0)
    return Array.from({ length: Math.max(0, left) }, () => key)
  })
}

/**
 * Per subject of an ordered endpoint: an event that was taken for the first time after one that was acknowledged later.
 * A repetition after that is a duplicate, which receivers know by its id.
 */
function orderViolations(books: Books, received: readonly ReceivedLine[]): readonly string[] {
  const positions = new Map([...books.acknowledged.keys()].map((key, index) => [key, index]))
  const ordered = new Set(
    [...books.acknowledged.values()].flatMap(([line]) => (line?.ordered === true ? [line.endpoint] : [])),
  )
  const seen = new Set<string>()
  const latest = new Map<string, number>()
  const violations: string[] = []
  for (const line of received) {
    const key = books.keyOf(line)
    const position = positions.get(key)
    if (!ordered.has(line.endpoint) || line.answer !== 'ok' || seen.has(key) || position === undefined)
      continue
    seen.add(key)
    const subject = `${line.endpoint} ${line.subject}`
    const before = latest.get(subject) ?? -1
    if (position < before) violations.push(key)
    latest.set(subject, Math.max(position, before))
  }
  return violations
}

/** `webhook-sequence` numbers the events of an endpoint from 1 without gaps, the same number in every attempt. */
function sequenceProblems(received: readonly ReceivedLine[]): readonly string[] {
  return [...groupBy(received, ({ endpoint }) => endpoint)].flatMap(([endpoint, lines]) => {
    const byEvent = groupBy(lines, ({ id }) => id)
    const changed = [...byEvent].filter(([, [first, ...more]]) =>
      more.some(({ sequence }) => sequence !== first?.sequence),
    )
    const numbers = new Set(lines.map(({ sequence }) => sequence))
    // Those of other event types, or from before the endpoint began, are not among them.
    const [low, high] = [Math.min(...minMax(numbers)), Math.max(...minMax(numbers))]
    return [
      ...changed.map(([id]) => `${endpoint}: ${id} changed its number`),
      ...(numbers.size === byEvent.size ? [] : [`${endpoint}: two events with one number`]),
      ...(high - low + 1 === numbers.size
        ? []
        : [`${endpoint}: ${high - low + 1 - numbers.size} numbers missing`]),
    ]
  })
}

/** Not Math.min(...all): a hundred thousand arguments are too many. */
function minMax(numbers: ReadonlySet<number>): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const number of numbers) {
    low = Math.min(low, number)
    high = Math.max(high, number)
  }
  return [low, high]
}

interface Recovery {
  readonly id: string
  readonly fault: string
  readonly fromFaultMs: number
  readonly fromAbleMs: number
}

/** Of each event in flight at a fault that came again: how long that took. What was recorded in time does not. */
function recoveriesOf({ received, faults }: Evidence): readonly Recovery[] {
  const byEvent = groupBy(received, ({ id }) => id)
  return faults.flatMap(({ fault, atMs, ableMs, seenMs, inFlight }) =>
    [...new Set(inFlight)].flatMap((id) => {
      const again = byEvent.get(id)?.find(({ arrivedMs }) => arrivedMs > seenMs)
      if (again === undefined) return []
      const fromAbleMs = Math.max(0, again.arrivedMs - Math.max(atMs, ableMs))
      return [{ id, fault, fromFaultMs: again.arrivedMs - atMs, fromAbleMs }]
    }),
  )
}

function bookProblems({ acknowledged, taken }: Books): readonly string[] {
  const twice = [...acknowledged].filter(([, lines]) => lines.length > 1).map(([key]) => key)
  const twoIds = [...taken].filter(([, lines]) => new Set(lines.map(({ id }) => id)).size > 1)
  return [
    ...tell('events acknowledged twice', twice),
    ...tell(
      'events published under two ids',
      twoIds.map(([key]) => key),
    ),
    ...tell(
      'events delivered that nobody acknowledged',
      [...taken.keys()].filter((key) => !acknowledged.has(key)),
    ),
  ]
}

/** After 410 an endpoint gets nothing any more, whatever is killed and started again. */
function goneProblems({ received, faults }: Evidence): readonly string[] {
  const sent = faults.flatMap(({ gone, atMs }) =>
    received.filter(({ endpoint, arrivedMs }) => endpoint === gone && arrivedMs > atMs).map(({ id }) => id),
  )
  return tell('requests to an endpoint that had answered 410', sent)
}

/** Compares what was acknowledged with what was received; knows nothing else of the run. */
export function judge(evidence: Evidence): Verdict {
  const { received, faults } = evidence
  const books = openBooks(evidence)
  const lost = [...books.acknowledged.keys()].filter((key) => !books.taken.has(key))
  const violations = orderViolations(books, received)
  const recoveries = recoveriesOf(evidence)
  const recoveriesMs = recoveries.map(({ fromAbleMs }) => fromAbleMs)
  const late = recoveries
    .filter(({ fromAbleMs }) => fromAbleMs > recoveryPromisedMs)
    .map(({ id, fault, fromAbleMs }) => `${id} ${Math.round(fromAbleMs)} ms after ${fault}`)
  const isLate = percentile(recoveriesMs, 0.99) > recoveryPromisedMs
  const refused = received.filter(({ answer }) => answer === 'refused').map(({ id }) => id)
  return {
    published: books.acknowledged.size,
    delivered: books.acknowledged.size - lost.length,
    lost: lost.length,
    duplicates: [...books.taken.values()].reduce((sum, lines) => sum + lines.length - 1, 0),
    orderViolations: violations.length,
    inFlight: faults.reduce((sum, { inFlight }) => sum + inFlight.length, 0),
    open: faults.reduce((sum, { open }) => sum + open, 0),
    recoveriesMs,
    recoveriesFromFaultMs: recoveries.map(({ fromFaultMs }) => fromFaultMs),
    problems: [
      ...tell('events lost', lost),
      ...tell(
        'duplicates of events that were not in flight at a fault',
        unexplainedDuplicates(books, faults),
      ),
      ...tell('events before one that was published earlier', violations),
      ...(isLate ? tell('events redelivered too late', late) : []),
      ...tell('requests with a wrong signature or body', refused),
      ...goneProblems(evidence),
      ...bookProblems(books),
      ...sequenceProblems(received),
    ],
  }
}
