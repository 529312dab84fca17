import { type DeliveryState, isFinal } from '../../src/events/delivery.ts'
import { limits } from '../../src/kernel/index.ts'
import type { Sent, Watcher } from './receiver.ts'
import { endpointOf, isOpen, type Row, type Rows } from './rows.ts'
import { customer } from './scene.ts'
import type { Sim } from './sim.ts'

/** What may not be sent any more, some moments after it was forbidden. */
interface Ban {
  readonly invariant: string
  readonly fromMs: number
  readonly graceMs: number
  concerns(sent: Sent, rows: Rows): boolean
}

/** What people have done, as far as the outcome may differ for it. */
export interface Deeds {
  readonly committed: Set<string>
  readonly rolledBack: Set<string>
  readonly skipped: Set<string>
  readonly resent: Set<string>
  /** Installations whose grant or scopes have changed: their bodies and deliveries may differ. */
  readonly narrowed: Set<string>
  /** A rule against an app, even for a moment, may have kept new deliveries from being made. */
  readonly stoppedApps: Set<string>
}

export interface Invariants extends Watcher {
  readonly deeds: Deeds
  /** Nothing of this is sent from now on; what it gives back ends that. */
  ban(ban: Pick<Ban, 'invariant' | 'concerns' | 'graceMs'>): () => void
  /** Looks at the rows after a step. */
  look(rows: Rows): void
  /** Everything has had its time. */
  lookAtEnd(rows: Rows): void
}

// A claim's permissions are read anew after so long, and a body may take as long to be made anew; rules are cached for a
// second before. Together the 5 s in which a suspension must hold.
export const permissionGraceMs = 2 * limits.drainFreshMs
export const ruleGraceMs = permissionGraceMs + 1_000

const placeOf = ({ url, sequence }: Pick<Sent, 'url' | 'sequence'>) =>
  `${url.slice(url.lastIndexOf('/') + 1)} ${sequence}`
const keyOf = (d: Row<'delivery'>) => `${d.stream_id} ${d.sequence}`

/** Whether the receiver's 2xx may not have been recorded through nobody's mistake. */
function isExcused({ answered, owner, lease, replayed }: Sent): boolean {
  if (!answered || !owner.alive || owner.stopping || replayed) return true
  return lease === null || lease.lost || owner.hurtAtMs >= lease.takenAtMs
}

function hasReason({ last_outcome: outcome, attempts }: Row<'delivery'>): boolean {
  return outcome === 'gone' || outcome === 'refused' || attempts === limits.deliveryAttemptsMax
}

function notSent(d: Row<'delivery'>, rows: Rows): string | null {
  return endpointOf(rows, d.stream_id)?.state === 'stopped' ? null : 'it was never sent'
}

function groupBy<T>(list: Iterable<T>, keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const one of list) {
    const group = groups.get(keyOf(one))
    if (group === undefined) groups.set(keyOf(one), [one])
    else group.push(one)
  }
  return groups
}

export function makeInvariants(sim: Sim, readRows: () => Promise<Rows>): Invariants {
  const deeds: Deeds = {
    ...{ committed: new Set(), rolledBack: new Set(), skipped: new Set(), resent: new Set() },
    ...{ narrowed: new Set(), stoppedApps: new Set() },
  }
  const bans = new Set<Ban>()
  const finals = new Map<string, string>()
  const stopped = new Set<string>()
  /** Requests that were taken, and the first one of all, by stream and sequence. */
  const taken = new Map<string, Sent[]>()
  const first = new Map<string, Sent>()
  let seen: Rows | null = null

  function findDelivery(rows: Rows, sent: Sent): Row<'delivery'> | undefined {
    return [...rows.delivery.values()].find((d) => keyOf(d) === placeOf(sent))
  }

  const addBan: Invariants['ban'] = (what) => {
    const ban = { ...what, fromMs: sim.nowMs }
    bans.add(ban)
    return () => void bans.delete(ban)
  }

  function checkBans(sent: Sent): void {
    if (seen === null) return
    for (const { invariant, fromMs, graceMs, concerns } of bans)
      if (sim.nowMs > fromMs + graceMs && concerns(sent, seen))
        sim.fail(invariant, `${placeOf(sent)} was sent ${sim.nowMs - fromMs} ms later`)
  }

  function checkRepeated(sent: Sent): void {
    const { lease } = sent
    if (lease === null) return
    if (sim.nowMs > lease.untilMs + limits.drainFreshMs)
      sim.fail('sent-under-its-lease', `${placeOf(sent)} by ${sent.owner.name}, whose lease has ended`)
    // Taken by somebody whose clock is ahead, within the bound that leases allow.
    if (lease.lost) return
    const unexcused = taken.get(placeOf(sent))?.find((earlier) => !isExcused(earlier))
    if (unexcused !== undefined)
      sim.fail(
        'repeated-only-with-a-cause',
        `${placeOf(sent)} attempt ${sent.attempt} after attempt ${unexcused.attempt} was taken`,
      )
  }

  function checkSame(sent: Sent, delivery: Row<'delivery'> | undefined): void {
    const before = first.get(placeOf(sent))
    if (before === undefined) first.set(placeOf(sent), sent)
    else if (before.eventId !== sent.eventId)
      sim.fail('one-webhook-id', `${placeOf(sent)}: ${before.eventId}, then ${sent.eventId}`)
    else if (before.body !== sent.body && !deeds.narrowed.has(delivery?.installation_id ?? ''))
      sim.fail('same-bytes', `${placeOf(sent)} attempt ${sent.attempt} has another body`)
    if (delivery !== undefined && delivery.event_id !== sent.eventId)
      sim.fail('one-webhook-id', `${placeOf(sent)} is ${delivery.event_id}, sent as ${sent.eventId}`)
  }

  /** In order: whatever stands before it, of its subject, has been taken or has ended. */
  function checkOrder(sent: Sent, delivery: Row<'delivery'>, rows: Rows): void {
    if (endpointOf(rows, delivery.stream_id)?.fifo !== true || sent.replayed) return
    const isBefore = (d: Row<'delivery'>) =>
      d.stream_id === delivery.stream_id &&
      d.merchant_id === delivery.merchant_id &&
      d.subject === delivery.subject &&
      d.sequence < delivery.sequence
    const missing = [...rows.delivery.values()].find((d) => isBefore(d) && isOpen(d) && !taken.has(keyOf(d)))
    if (missing !== undefined)
      sim.fail('first-in-first-out', `${placeOf(sent)} was taken before ${keyOf(missing)}`)
  }

  function checkFinal(delivery: Row<'delivery'>): void {
    const { id, state } = delivery
    const before = finals.get(id)
    if (before !== undefined && before !== state && !(state === 'delivered' && deeds.resent.has(id)))
      sim.fail('one-terminal-state', `${keyOf(delivery)} was ${before} and is ${state}`)
    if (isFinal(state)) finals.set(id, state)
    if (state === 'delivered' && !taken.has(keyOf(delivery)))
      sim.fail('delivered-means-taken', `${keyOf(delivery)} was taken by nobody`)
  }

  /** Attempts that end after somebody else has ended the delivery have a row and do not count. */
  function countsAll({ id, state }: Row<'delivery'>): boolean {
    return state !== 'cancelled' && state !== 'parked' && !deeds.resent.has(id)
  }

  function checkAttempts(rows: Rows): void {
    const tried = [...rows.attempt.values()].filter(
      ({ replay_id: replayId, outcome }) => replayId === null && outcome !== 'cancelled',
    )
    const byDelivery = groupBy(tried, ({ delivery_id: id }) => id)
    for (const d of rows.delivery.values()) {
      const count = byDelivery.get(d.id)?.length ?? 0
      if (d.attempts > limits.deliveryAttemptsMax)
        sim.fail('attempts-have-a-limit', `${keyOf(d)} was tried ${d.attempts} times`)
      if (countsAll(d) && d.attempts !== count)
        sim.fail('every-attempt-has-its-row', `${keyOf(d)}: ${d.attempts} attempts, ${count} rows`)
    }
  }

  function checkSequences(rows: Rows): void {
    const streams = groupBy(rows.delivery.values(), ({ stream_id: id }) => id)
    for (const { id, next_sequence: next } of rows.stream.values()) {
      const numbers = (streams.get(id) ?? []).map(({ sequence }) => sequence).sort((a, b) => a - b)
      if (numbers.length !== next - 1 || numbers.some((number, place) => number !== place + 1))
        sim.fail('sequences-without-gap', `${id}: ${numbers.join(' ')}, next ${next}`)
    }
  }

  function noticeStopped(rows: Rows): void {
    for (const { id, state, url } of rows.endpoint.values()) {
      if (state !== 'stopped' || stopped.has(id)) continue
      stopped.add(id)
      const concerns = (sent: Sent) => sent.url === url && !sent.replayed
      addBan({ invariant: 'nothing-after-disable', graceMs: permissionGraceMs, concerns })
    }
  }

  /** Why a delivery may not end like this; null: it may. */
  const endProblems: { readonly [S in DeliveryState]: (d: Row<'delivery'>, rows: Rows) => string | null } = {
    delivered: () => null,
    cancelled: (d, rows) => (isWithdrawn(d, rows) ? null : 'nobody ended it'),
    parked: (d) => (deeds.skipped.has(d.id) ? null : 'nobody skipped it'),
    exhausted: (d) => (hasReason(d) ? null : 'attempts are left'),
    pending: notSent,
    waiting: notSent,
  }

  function isWithdrawn({ installation_id: id }: Row<'delivery'>, rows: Rows): boolean {
    return rows.installation.get(id)?.state !== 'active' || deeds.narrowed.has(id)
  }

  /** Whether nothing that anybody did may have kept the event from this subscription. */
  function isFor(s: Row<'subscription'>, event: Row<'event'> | undefined): boolean {
    if (s.merchant_id !== event?.merchant_id || s.ended_at !== null) return false
    return !deeds.stoppedApps.has(s.app_id) && !deeds.narrowed.has(s.installation_id)
  }

  function checkFanOut(rows: Rows): void {
    const made = groupBy(rows.delivery.values(), (d) => `${d.event_id} ${d.subscription_id}`)
    for (const eventId of deeds.committed) {
      const event = rows.event.get(eventId)
      for (const s of rows.subscription.values())
        if (isFor(s, event) && made.get(`${eventId} ${s.id}`)?.length !== 1)
          sim.fail('at-least-once', `${eventId} made no delivery of ${s.id}`)
    }
  }

  return {
    deeds,
    ban: addBan,
    sent(request) {
      checkBans(request)
      checkRepeated(request)
    },
    async arrived(sent) {
      const rows = await readRows()
      const delivery = findDelivery(rows, sent)
      if (deeds.rolledBack.has(sent.eventId) || delivery === undefined)
        return sim.fail('nothing-rolled-back', `${placeOf(sent)} carries ${sent.eventId}`)
      checkSame(sent, delivery)
      if (!sent.taken) return
      const earlier = taken.get(placeOf(sent))
      if (earlier === undefined) checkOrder(sent, delivery, rows)
      taken.set(placeOf(sent), [...(earlier ?? []), sent])
    },
    look(rows) {
      seen = rows
      checkSequences(rows)
      checkAttempts(rows)
      noticeStopped(rows)
      for (const delivery of rows.delivery.values()) checkFinal(delivery)
    },
    lookAtEnd(rows) {
      checkFanOut(rows)
      for (const delivery of rows.delivery.values()) {
        const problem = endProblems[delivery.state](delivery, rows)
        if (problem !== null) sim.fail('at-least-once', `${keyOf(delivery)} is ${delivery.state}: ${problem}`)
      }
    },
  }
}

/** A body that shows the customer. */
export function showsCustomer({ body }: Sent): boolean {
  return body.includes(customer)
}
