import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  allAudiences,
  endSession,
  findSession,
  loadPerson,
  startSession,
} from '../../../src/identity/index.ts'
import { limits, mintToken, newId, toDate } from '../../../src/kernel/index.ts'
import { type Bench, openBench } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

function disable(personId: string) {
  const disabledAt = toDate(bench.clock.nowMs())
  return bench.db.queries.person.update({ where: { id: personId }, data: { disabledAt } })
}

const minuteMs = 60_000

describe('a session', () => {
  const start = (personId: string, userAgent = 'Firefox') =>
    bench.db.tx((tx) => startSession(tx, { personId, userAgent }, bench.ids))
  const find = (cookie: string) => findSession(bench.db.queries, cookie, bench.clock)

  test('stands for its person, for everything the person may do', async () => {
    const person = await bench.person('browser@dev.example')
    const cookie = await start(person.personId)
    expect(cookie).toMatch(/^stoa_se_/)
    const sessionId = expect.stringMatching(/^ses_/)
    expect(await find(cookie)).toEqual({
      sessionId,
      caller: { ...person, sessionId, credentialId: sessionId },
    })
    expect(person.audiences).toEqual(allAudiences)
    expect(JSON.stringify(await bench.db.queries.session.findMany())).not.toContain(cookie)
    expect(await find(mintToken('session', bench.ids.random))).toBeNull()
    expect(await find('garbage')).toBeNull()
  })

  test('ends after two weeks, however often it is used', async () => {
    const person = await bench.person('fortnight@dev.example')
    const cookie = await start(person.personId)
    bench.clock.advance(limits.sessionMs - minuteMs)
    expect(await find(cookie)).not.toBeNull()
    bench.clock.advance(minuteMs)
    expect(await find(cookie)).toBeNull()
  })

  test('is listed with its browser, and ends at once when told to', async () => {
    const person = await bench.person('two-browsers@dev.example')
    const kept = await start(person.personId, 'Firefox')
    const ended = await start(person.personId, `Evil\t${'x'.repeat(1000)}`)
    const { data } = await bench.call('session.list', person, {})
    expect(data.map(({ userAgent }: { userAgent: string }) => userAgent.slice(0, 7)).sort()).toEqual([
      'Evil xx',
      'Firefox',
    ])
    const found = await find(ended)
    await bench.call('session.end', person, { sessionId: found?.sessionId })
    expect(await find(ended)).toBeNull()
    expect(await find(kept)).not.toBeNull()
    expect((await bench.call('session.list', person, {})).data).toHaveLength(1)
  })

  test('ends at sign-out, also a second time', async () => {
    const person = await bench.person('leaving@dev.example')
    const cookie = await start(person.personId)
    await endSession(bench.db.queries, cookie, bench.clock)
    expect(await find(cookie)).toBeNull()
    await endSession(bench.db.queries, cookie, bench.clock)
    await endSession(bench.db.queries, 'garbage', bench.clock)
  })

  test('of somebody else is, word for word, one that does not exist', async () => {
    const person = await bench.person('session-owner@dev.example')
    const stranger = await bench.person('session-stranger@dev.example')
    const cookie = await start(person.personId)
    const sessionId = (await find(cookie))?.sessionId
    const foreign = await bench.refusal('session.end', stranger, { sessionId })
    const missing = await bench.refusal('session.end', stranger, { sessionId: newId('session', bench.ids) })
    expect(foreign).toMatchObject({ status: 404, code: 'identity.session_not_found' })
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
    expect(await find(cookie)).not.toBeNull()
  })

  test('of a disabled person is nobody’s', async () => {
    const person = await bench.person('gone-browser@dev.example')
    const cookie = await start(person.personId)
    await disable(person.personId)
    expect(await find(cookie)).toBeNull()
    expect(await loadPerson(bench.db.queries, person.personId, allAudiences)).toBeNull()
  })

  test('notes when it was seen, at most once a minute', async () => {
    const person = await bench.person('seen@dev.example')
    const cookie = await start(person.personId)
    const seenAt = async () => (await bench.call('session.list', person, {})).data[0].seenAt
    const first = await seenAt()
    bench.clock.advance(limits.credentialSeenMs - 5000)
    await find(cookie)
    expect(await seenAt()).toBe(first)
    bench.clock.advance(6000)
    await find(cookie)
    expect(Date.parse(await seenAt())).toBeGreaterThan(Date.parse(first))
  })

  test('makes the one unseen longest end when there are too many', async () => {
    const person = await bench.person('many-browsers@dev.example')
    const cookies: string[] = []
    for (let i = 0; i <= limits.sessionsMax; i += 1) {
      cookies.push(await start(person.personId))
      bench.clock.advance(1)
    }
    expect(await find(cookies[0] ?? '')).toBeNull()
    expect(await find(cookies[1] ?? '')).not.toBeNull()
    expect(await bench.db.queries.session.count({ where: { personId: person.personId } })).toBe(
      limits.sessionsMax,
    )
  })

  test('sees a new membership with the next request', async () => {
    const person = await bench.person('promoted@dev.example')
    const cookie = await start(person.personId)
    const publisher = await bench.call('publisher.create', person, { name: 'New' })
    const found = await find(cookie)
    expect(found?.caller.publishers).toEqual(new Map([[publisher.id, 'owner']]))
  })
})
