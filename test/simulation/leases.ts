import type { RecordBatch } from '../../src/events/drain/record/store.ts'
import type { Answered } from './gate.ts'
import type { Owner, Sim } from './sim.ts'

/** How far the clocks of two processes may be apart: each is up to a second wrong. */
export const skewMsMax = 1_000

/** A lease as its process believes to have it. */
export interface Lease {
  readonly streamId: string
  readonly owner: Owner
  readonly epoch: bigint
  readonly takenAtMs: number
  /** In true time. */
  untilMs: number
  released: boolean
  /** It ran out, or somebody else took the stream: what was in flight may not be recorded. */
  lost: boolean
}

export interface Leases {
  /** The one that this process took last. */
  of(owner: Owner, streamId: string): Lease | null
  /** The store has done it. */
  answered(call: Answered): void
  /** The process has heard of it: until then it believes what it believed. */
  heard(call: Answered): void
  timeHasPassed(): void
}

/** Follows the leases of all processes by what the store has answered them. */
export function watchLeases(sim: Sim): Leases {
  const all: Lease[] = []
  const isHeld = (lease: Lease) => lease.owner.alive && !lease.released && lease.untilMs >= sim.nowMs
  const find = (owner: Owner, streamId: string, epoch: bigint) =>
    all.find((l) => l.owner === owner && l.streamId === streamId && l.epoch === epoch)
  const newer = (streamId: string, epoch: bigint) =>
    all.find((l) => l.streamId === streamId && l.epoch > epoch)

  function taken(owner: Owner, streamId: string, epoch: bigint, untilMs: number): void {
    for (const other of all) {
      if (other.streamId !== streamId || other.released) continue
      const overlapMs = other.untilMs - sim.nowMs
      // A healthy holder has four of its six seconds left.
      if (isHeld(other) && overlapMs > 2 * skewMsMax)
        sim.fail(
          'one-holder',
          `${owner.name} took ${streamId}, ${other.owner.name} has it for ${overlapMs} ms`,
        )
      other.lost = true
    }
    all.push({ streamId, owner, epoch, takenAtMs: sim.nowMs, untilMs, released: false, lost: false })
  }

  const handlers: Readonly<Record<string, (call: Answered) => void>> = {
    takeLease({ owner, args: [streamId, wish], result }) {
      if (result === null) return
      const { epoch } = result as { readonly epoch: bigint }
      const { untilMs } = wish as { readonly untilMs: number }
      taken(owner, String(streamId), epoch, untilMs - owner.skewMs)
    },
    renewLease({ owner, args: [streamId, wish], result }) {
      const { epoch } = wish as { readonly epoch: bigint }
      if (result === true && newer(String(streamId), epoch) !== undefined)
        sim.fail('one-holder', `${owner.name} renewed ${String(streamId)}, which somebody else has taken`)
    },
    releaseLease({ owner, args: [streamId, wish] }) {
      const { epoch } = wish as { readonly epoch: bigint }
      const lease = find(owner, String(streamId), epoch)
      if (lease !== undefined) lease.released = true
    },
    recordBatches({ owner, args: [batches], result }) {
      for (const { streamId, epoch } of batches as readonly RecordBatch[])
        if ((result as ReadonlySet<string>).has(streamId) && newer(streamId, epoch) !== undefined)
          sim.fail(
            'recorded-under-its-lease',
            `${owner.name} recorded ${streamId} with a lease that has gone`,
          )
    },
  }
  return {
    of: (owner, streamId) => all.findLast((l) => l.owner === owner && l.streamId === streamId) ?? null,
    answered: (call) => handlers[call.name]?.(call),
    heard({ owner, name, args: [streamId, wish], result }) {
      if (name !== 'renewLease' || result !== true) return
      const { epoch, untilMs } = wish as { readonly epoch: bigint; readonly untilMs: number }
      const lease = find(owner, String(streamId), epoch)
      if (lease !== undefined) lease.untilMs = Math.max(lease.untilMs, untilMs - owner.skewMs)
    },
    timeHasPassed() {
      for (const lease of all) if (!lease.released && lease.untilMs < sim.nowMs) lease.lost = true
    },
  }
}
