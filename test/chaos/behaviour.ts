import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Answer } from './lines.ts'

/** Ways of failing; each delivery meets at most one, at its first attempt: its second retry is five minutes away. */
export const failings = ['500', '502', '429', 'hang', 'drip', 'reset'] as const satisfies readonly Answer[]

export type Failing = (typeof failings)[number]

/** How the receiver behaves until it is told otherwise. */
export interface Mood {
  /** An answer takes between so many milliseconds. */
  readonly answerMs: readonly [number, number]
  readonly failing: Failing | null
  /** This many deliveries are failed, then no more. */
  readonly failuresMax: number
}

/** The endpoint that answers everything with 410. */
export const goneEndpoint = 'gone'

export const calm: Mood = { answerMs: [1, 20], failing: null, failuresMax: 0 }

/** A number in [0, 1) that depends on seed and id alone. */
export function chanceOf(seed: string, id: string): number {
  return createHash('sha256').update(`${seed} ${id}`).digest().readUIntBE(0, 6) / 2 ** 48
}

const retryAfterS = 2
const dripMs = 500

/** Does to the sender what the answer says. `hang` and `drip` last until the sender gives up. */
export function act(response: ServerResponse, answer: Answer): void {
  switch (answer) {
    case 'ok':
      response.writeHead(200).end()
      return
    case '500':
    case '502':
      response.writeHead(Number(answer)).end()
      return
    case '429':
      response.writeHead(429, { 'retry-after': String(retryAfterS) }).end()
      return
    case 'gone':
      response.writeHead(410).end()
      return
    case 'refused':
      response.writeHead(401).end()
      return
    case 'hang':
      return
    case 'drip': {
      response.writeHead(200, { 'content-type': 'text/plain' })
      const timer = setInterval(() => response.write('.'), dripMs)
      response.on('close', () => clearInterval(timer))
      return
    }
    case 'reset':
      response.socket?.resetAndDestroy()
      return
  }
}
