import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** Every kind of row that has an id on the wire, with its prefix. */
export const idPrefixes = {
  app: 'app',
  attempt: 'att',
  authorization: 'aut',
  auditEntry: 'aud',
  accessRecord: 'acr',
  challenge: 'chl',
  consent: 'con',
  credential: 'crd',
  delivery: 'dlv',
  endpoint: 'end',
  endpointSecret: 'esc',
  event: 'evt',
  finding: 'fnd',
  grant: 'grt',
  installation: 'ins',
  invitation: 'inv',
  merchant: 'mer',
  notice: 'ntc',
  order: 'ord',
  passkey: 'pky',
  person: 'per',
  personalToken: 'ptk',
  publisher: 'pub',
  release: 'rel',
  replay: 'rpl',
  request: 'req',
  reviewCase: 'rev',
  rule: 'rul',
  run: 'run',
  session: 'ses',
  signIn: 'sgn',
  stream: 'str',
  subscription: 'sub',
  testEvent: 'tst',
  version: 'ver',
} as const

export type IdKind = keyof typeof idPrefixes

// Crockford's alphabet, as the ULID specification prescribes: no I, L, O, U.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The pattern of an id of this kind, for JSON Schemas. */
export function idPattern(kind: IdKind): string {
  return `^${idPrefixes[kind]}_[0-9A-HJKMNP-TV-Z]{26}$`
}

/** Whatever makes ids: time and chance, passed in. */
export interface IdSource {
  readonly clock: Clock
  readonly random: Random
}

let lastMs = Number.NaN
let lastTime = ''

/** Ten characters of milliseconds. Ids come in batches: most are of the millisecond of the one before. */
function timePart(nowMs: number): string {
  if (nowMs === lastMs) return lastTime
  let text = ''
  for (let i = 0, ms = nowMs; i < 10; i += 1, ms = Math.floor(ms / 32)) text = alphabet.charAt(ms % 32) + text
  lastMs = nowMs
  lastTime = text
  return text
}

/**
 * A prefixed ULID: `app_` + 10 characters of milliseconds + 16 characters (80 bit) of chance.
 * Sorts roughly by time; nothing may rely on that (two nodes' clocks differ).
 */
export function newId(kind: IdKind, { clock, random }: IdSource): string {
  let text = `${idPrefixes[kind]}_${timePart(clock.nowMs())}`
  const bytes = random.bytes(16)
  for (let i = 0; i < 16; i += 1) text += alphabet.charAt((bytes[i] ?? 0) & 31)
  return text
}

/** When an id was made, by the clock of whoever made it: for people and logs, never for an order. */
export function idTimeMs(id: string): number {
  const start = id.indexOf('_') + 1
  return [...id.slice(start, start + 10)].reduce((ms, digit) => ms * 32 + alphabet.indexOf(digit), 0)
}
