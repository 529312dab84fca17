import { readFileSync } from 'node:fs'
import path from 'node:path'

/** An event that the platform has acknowledged to its publisher. */
export interface AcknowledgedLine {
  /** The endpoint that must get it. */
  readonly endpoint: string
  /** Whether the endpoint asked for order per subject. */
  readonly ordered: boolean
  /** Null where the operation that published it tells no event id: type and subject say which it is. */
  readonly id: string | null
  readonly type: string
  readonly subject: string
  readonly atMs: number
}

/** How the receiver answered. Only `ok` takes the delivery; `refused` is a signature or a body that is wrong. */
export const answers = ['ok', '500', '502', '429', 'hang', 'drip', 'reset', 'gone', 'refused'] as const

export type Answer = (typeof answers)[number]

/** One request of one delivery, written before the receiver answers it. */
export interface ReceivedLine {
  readonly endpoint: string
  /** `webhook-id`. */
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly sequence: number
  readonly attempt: number
  readonly arrivedMs: number
  readonly atMs: number
  readonly answer: Answer
}

/** Something that was done to the platform. */
export interface FaultLine {
  readonly fault: string
  readonly atMs: number
  /** From when there was somebody again who could deliver; `atMs` where there was all the time. */
  readonly ableMs: number
  /** When the receiver was asked for `inFlight`: what comes in later is a redelivery. */
  readonly seenMs: number
  /** The endpoint that has answered 410 and has been stopped for it by then; null in any other fault. */
  readonly gone: string | null
  /** How many of `inFlight` were open. */
  readonly open: number
  /** Ids of events that were in flight: open at the receiver, or answered so lately that it may not be recorded yet. */
  readonly inFlight: readonly string[]
}

/** Everything the checker is told of one run. */
export interface Evidence {
  readonly acknowledged: readonly AcknowledgedLine[]
  readonly received: readonly ReceivedLine[]
  readonly faults: readonly FaultLine[]
}

export const fileNames = {
  acknowledged: 'acknowledged.jsonl',
  received: 'received.jsonl',
  faults: 'faults.jsonl',
} as const

function readLines(folder: string, name: string): readonly unknown[] {
  const lines = readFileSync(path.join(folder, name), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown)
}

/** Reads the three files of a run; throws where a line is none. */
export function readEvidence(folder: string): Evidence {
  return {
    acknowledged: readLines(folder, fileNames.acknowledged) as AcknowledgedLine[],
    received: readLines(folder, fileNames.received) as ReceivedLine[],
    faults: readLines(folder, fileNames.faults) as FaultLine[],
  }
}
