import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PersonCaller } from '../../../src/capability/index.ts'
import { findSession, signIn, startSession } from '../../../src/identity/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { anonymous, type Bench, host, openBench, password } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const newPassword = 'another long enough password'

/** The person in a browser. */
async function inBrowser({ personId }: PersonCaller): Promise<PersonCaller & { readonly cookie: string }> {
  const cookie = await bench.db.tx((tx) => startSession(tx, { personId, userAgent: 'Firefox' }, bench.ids))
  const found = await findSession(bench.db.queries, cookie, bench.clock)
  return { ...(found?.caller as PersonCaller), cookie }
}

const isLive = async (cookie: string) => (await findSession(bench.db.queries, cookie, bench.clock)) !== null

function attempt(email: string, word: string) {
  return signIn(
    { queries: bench.db.queries, clock: bench.clock },
    { email, password: word, address: '192.0.2.1' },
  )
}

async function withoutPassword(email: string): Promise<PersonCaller> {
  const person = await bench.person(email)
  await bench.db.queries.signIn.deleteMany({ where: { personId: person.personId } })
  return person
}

describe('an expected password is refused, with the place in the input', () => {
  test('at registration', async () => {
    const input = { email: 'ada.lovelace@dev.example', password: 'ada.lovelace1815', displayName: 'Ada' }
    const problem = await bench.refusal('person.register', anonymous, input)
    expect(problem).toMatchObject({ status: 422, code: 'identity.password_too_common' })
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/password'])
    expect(JSON.stringify(problem)).not.toContain(input.password)
    expect(await bench.db.queries.person.count({ where: { email: input.email } })).toBe(0)
  })

  test('with an invitation, which stays open', async () => {
    const merchantId = await bench.merchant('Green Leaf Tea')
    const { invitation } = await bench.call('merchant_member.create', host, {
      ...{ merchantId, email: 'mei@shop.example', role: 'staff' },
    })
    const input = { token: invitation.token, displayName: 'Mei', password: 'mei@shop.example' }
    const problem = await bench.refusal('invitation.accept', anonymous, input)
    expect(problem).toMatchObject({ status: 422, code: 'identity.password_too_common' })
    await bench.call('invitation.accept', anonymous, { ...input, password: newPassword })
  })

  test('at a change', async () => {
    const person = await bench.person('change-common@dev.example')
    const input = { currentPassword: password, newPassword: 'change-common@dev.example' }
    const problem = await bench.refusal('password.change', person, input)
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/newPassword'])
    expect((await attempt('change-common@dev.example', password)).kind).toBe('signed_in')
  })
})

describe('changing the password', () => {
  test('needs the current one, and tells nothing about it', async () => {
    const person = await bench.person('careful@dev.example')
    const refused = (input: object) => bench.refusal('password.change', person, { newPassword, ...input })
    expect(await refused({})).toMatchObject({ status: 403, code: 'identity.password_required' })
    expect(await refused({ currentPassword: 'wrong' })).toMatchObject({
      ...{ status: 403, code: 'identity.password_refused' },
    })
    expect((await attempt('careful@dev.example', password)).kind).toBe('signed_in')
  })

  test('ends every session but the one it was changed in', async () => {
    const person = await bench.person('sessions@dev.example')
    const [here, there] = [await inBrowser(person), await inBrowser(person)]
    await bench.call('password.change', here, { currentPassword: password, newPassword })
    expect([await isLive(here.cookie), await isLive(there.cookie)]).toEqual([true, false])
    expect(await attempt('sessions@dev.example', password)).toEqual({ kind: 'refused' })
    expect((await attempt('sessions@dev.example', newPassword)).kind).toBe('signed_in')
  })

  test('by a personal token ends every session', async () => {
    const person = await bench.person('token-change@dev.example')
    const browser = await inBrowser(person)
    await bench.call('password.change', person, { currentPassword: password, newPassword })
    expect(await isLive(browser.cookie)).toBe(false)
  })

  test('shares its attempts with signing in: it is no second place to guess at', async () => {
    const person = await bench.person('guessed@dev.example')
    bench.address = '203.0.113.5'
    const guess = { currentPassword: 'guess', newPassword }
    for (let i = 0; i < limits.signInFailuresMax; i += 1)
      await bench.refusal('password.change', person, guess)
    const right = { currentPassword: password, newPassword }
    expect(await bench.refusal('password.change', person, right)).toMatchObject({ status: 429 })
    bench.address = '192.0.2.1'
    await bench.call('password.change', person, right)
  })
})

describe('somebody without a password', () => {
  test('chooses the first one within 15 minutes of signing in, and not later', async () => {
    const person = await inBrowser(await withoutPassword('keyless@dev.example'))
    bench.clock.advance(limits.freshSessionMs + 1)
    expect(await bench.refusal('password.change', person, { newPassword })).toMatchObject({
      ...{ status: 403, code: 'identity.sign_in_again' },
    })
    const again = await inBrowser(person)
    bench.clock.advance(limits.freshSessionMs)
    await bench.call('password.change', again, { newPassword })
    expect((await attempt('keyless@dev.example', newPassword)).kind).toBe('signed_in')
  })

  test('cannot do so with a personal token alone, nor with a session that has ended', async () => {
    const person = await withoutPassword('keyless-token@dev.example')
    expect(await bench.refusal('password.change', person, { newPassword })).toMatchObject({
      code: 'identity.sign_in_again',
    })
    const ended = await inBrowser(person)
    await bench.call('session.end', ended, { sessionId: ended.sessionId })
    expect(await bench.refusal('password.change', ended, { newPassword })).toMatchObject({
      code: 'identity.sign_in_again',
    })
  })

  test('and without an address is told that a password needs one', async () => {
    const person = await inBrowser(await withoutPassword('addressless@dev.example'))
    await bench.db.queries.person.update({ where: { id: person.personId }, data: { email: null } })
    expect(await bench.refusal('password.change', person, { newPassword })).toMatchObject({
      ...{ status: 409, code: 'identity.email_missing' },
    })
  })
})

describe('the list of sessions', () => {
  test('marks the one it was asked from', async () => {
    const person = await bench.person('marked@dev.example')
    const [here] = [await inBrowser(person), await inBrowser(person)]
    const { data } = await bench.call('session.list', here, {})
    const current = data.filter((session: { current: boolean }) => session.current)
    expect([data.length, current.map(({ id }: { id: string }) => id)]).toEqual([2, [here.sessionId]])
    const byToken = await bench.call('session.list', person, {})
    expect(byToken.data.some((session: { current: boolean }) => session.current)).toBe(false)
  })

  test('shrinks to one when the others are ended, and nobody else’s end', async () => {
    const person = await bench.person('crowded@dev.example')
    const neighbour = await inBrowser(await bench.person('crowded-neighbour@dev.example'))
    const browsers = [await inBrowser(person), await inBrowser(person), await inBrowser(person)]
    const [here] = browsers
    expect(await bench.call('session.end_others', here as PersonCaller, {})).toEqual({ ended: 2 })
    expect(await Promise.all(browsers.map(({ cookie }) => isLive(cookie)))).toEqual([true, false, false])
    expect(await isLive(neighbour.cookie)).toBe(true)
  })
})
