import {
  type Answer,
  type Caller,
  type Catalog,
  type Door,
  makeCatalog,
  makeDoor,
  type PersonCaller,
} from '../../../src/capability/index.ts'
import { type Db, makeBoundCounters } from '../../../src/db/index.ts'
import {
  allAudiences,
  identityCapability,
  loadPerson,
  makeSignInKeys,
  makeWaysIn,
  type WaysIn,
} from '../../../src/identity/index.ts'
import { insertPerson } from '../../../src/identity/person/store.ts'
import {
  type Clock,
  hashPassword,
  newId,
  type Problem,
  present,
  systemClock,
  systemRandom,
  toProblem,
} from '../../../src/kernel/index.ts'
import { openTestDatabase, quietLog } from '../../support/database.ts'

export const anonymous: Caller = { kind: 'anonymous' }
export const host: Caller = { kind: 'host' }
export const password = 'correct horse battery staple'
// Hashing takes 150 ms and every person here may have the same password.
const passwordHash = await hashPassword(password)

interface MovableClock extends Clock {
  advance(ms: number): void
}

/** Stands still until it is moved. */
function movableClock(): MovableClock {
  let nowMs = systemClock.nowMs()
  return {
    nowMs: () => nowMs,
    advance(ms) {
      nowMs += ms
    },
  }
}

export const keys = makeSignInKeys('a secret key of a test bench, long enough')

export interface Bench {
  readonly clock: MovableClock
  readonly ids: { readonly clock: Clock; readonly random: typeof systemRandom }
  readonly db: Db
  readonly door: Door
  readonly catalog: Catalog
  /** Network address from which the next calls come. */
  address: string
  /** The operation's answer. */
  answer(operationId: string, caller: Caller, input: unknown): Promise<Answer>
  /** The operation's output. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer as a client sees it, without our types
  call(operationId: string, caller: Caller, input: unknown): Promise<any>
  /** The problem document of a refused operation. */
  refusal(operationId: string, caller: Caller, input: unknown): Promise<Problem>
  /** A person with the common password, as a session would see them. */
  person(email: string): Promise<PersonCaller>
  /** The same person with the memberships of now. */
  again(person: PersonCaller): Promise<PersonCaller>
  merchant(name: string): Promise<string>
  close(): Promise<void>
}

/** A database with the identity's operations behind a door; `registrationOpen` as the platform would set it. */
export async function openBench(options: { readonly registrationOpen?: boolean } = {}): Promise<Bench> {
  const clock = movableClock()
  const { db, close } = await openTestDatabase({ clock })
  const ids = { clock, random: systemRandom }
  const catalog = makeCatalog([
    identityCapability({
      publicUrl: 'https://open.example',
      keys,
      registrationOpen: options.registrationOpen ?? true,
      clientAddress: () => bench.address,
    }),
  ])
  const door = makeDoor({
    catalog,
    queries: db.queries,
    runInTransaction: (fn) => db.tx(fn),
    publish: () => Promise.reject(new Error('the identity publishes no event')),
    recorder: { record: () => Promise.resolve(), buffer: () => Promise.resolve() },
    idempotency: {
      isAnswered: () => Promise.resolve(false),
      claim: () => Promise.resolve('claimed'),
      finish: () => Promise.resolve(),
    },
    boundCounters: makeBoundCounters(),
    checkRules: (caller) => Promise.resolve(caller),
    ...ids,
  })
  const answer: Bench['answer'] = (operationId, caller, input) =>
    door.invoke(operationId, { caller, input, via: 'rest', requestId: 'req_test' })

  const bench: Bench = {
    clock,
    ids,
    db,
    door,
    catalog,
    address: '192.0.2.1',
    answer,
    call: async (operationId, caller, input) => (await answer(operationId, caller, input)).output,
    refusal: (operationId, caller, input) =>
      answer(operationId, caller, input).then(
        ({ output }) => Promise.reject(new Error(`not refused: ${JSON.stringify(output)}`)),
        (error: unknown) => toProblem(error),
      ),
    async person(email) {
      const personId = newId('person', ids)
      const displayName = email.split('@')[0] ?? email
      const createdAtMs = clock.nowMs()
      await db.tx((tx) =>
        insertPerson(tx, { personId, email, displayName, locale: 'en', passwordHash, createdAtMs }),
      )
      return present(await loadPerson(db.queries, personId, allAudiences), 'the new person')
    },
    again: async ({ personId, audiences }) =>
      present(await loadPerson(db.queries, personId, audiences), 'the person'),
    merchant: async (name) => (await bench.call('merchant.create', host, { kind: 'shop', name })).id,
    close,
  }
  return bench
}

/** What pages sign people in with, as at a platform with this address. */
export function waysInOf({ db, ids }: Bench, publicUrl: string): WaysIn {
  return makeWaysIn({ db, ...ids, keys, publicUrl, log: quietLog, provider: null })
}
