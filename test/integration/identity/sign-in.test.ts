import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PersonCaller } from '../../../src/capability/index.ts'
import { findPersonalToken, signIn } from '../../../src/identity/index.ts'
import { createPersonalToken } from '../../../src/identity/sign-in/create-personal-token.ts'
import { countAttempt } from '../../../src/identity/sign-in/store.ts'
import { accountDayWindow, attemptsKey, networkWindow } from '../../../src/identity/sign-in/throttle.ts'
import { limits, mintToken, newId, toDate } from '../../../src/kernel/index.ts'
import { anonymous, type Bench, openBench, password } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const minuteMs = 60_000

function attempt(email: string, word: string, address: string) {
  return signIn({ queries: bench.db.queries, clock: bench.clock }, { email, password: word, address })
}

function disable(personId: string) {
  const disabledAt = toDate(bench.clock.nowMs())
  return bench.db.queries.person.update({ where: { id: personId }, data: { disabledAt } })
}

const tokenInput = { password, name: 'laptop', audiences: ['account', 'developer'] }

describe('signing in', () => {
  test('knows the right password, whatever the case of the address', async () => {
    const { personId } = await bench.person('ada@dev.example')
    expect(await attempt('ADA@dev.example', password, '192.0.2.1')).toEqual({ kind: 'signed_in', personId })
  })

  test('answers an unknown account, a wrong password and a disabled person alike', async () => {
    const person = await bench.person('disabled@dev.example')
    await disable(person.personId)
    const inputs = [
      { ...tokenInput, email: 'nobody@dev.example' },
      { ...tokenInput, email: 'ada@dev.example', password: 'wrong' },
      { ...tokenInput, email: 'disabled@dev.example' },
    ]
    const problems = await Promise.all(
      inputs.map((input) => bench.refusal('personal_token.create', anonymous, input)),
    )
    expect(problems[0]).toMatchObject({ status: 401, code: 'identity.sign_in_refused' })
    expect(problems[1]).toEqual(problems[0])
    expect(problems[2]).toEqual(problems[0])
  })

  test('costs as much for an unknown account as for a wrong password', async () => {
    // Time on the processor, which other processes do not stretch.
    const costOf = async (email: string) => {
      const before = process.cpuUsage()
      await attempt(email, 'wrong', '192.0.2.90')
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const known = await costOf('ada@dev.example')
    // Without the hash it would be a fiftieth.
    expect(await costOf('nobody@dev.example')).toBeGreaterThan(known / 3)
  })

  test('survives any text a form can bring', async () => {
    expect(await attempt('a\u0000@dev.example', password, '192.0.2.91')).toEqual({ kind: 'refused' })
    expect(await attempt('ada@dev.example', 'x'.repeat(100_000), '192.0.2.91')).toEqual({ kind: 'refused' })
  })
})

describe('guessing', () => {
  /** As if `count` wrong passwords had been tried, without the time they take. */
  async function guess(account: string, address: string, count: number) {
    const key = attemptsKey({ purpose: 'sign-in', account, address })
    for (let i = 0; i < count; i += 1) await countAttempt(bench.db.queries, key, bench.clock.nowMs())
  }

  test('ends for this account at this address, and for nobody else', async () => {
    const { personId } = await bench.person('target@dev.example')
    await bench.person('neighbour@dev.example')
    await guess('target@dev.example', '198.51.100.1', limits.signInFailuresMax)
    bench.clock.advance(minuteMs)
    expect(await attempt('target@dev.example', password, '198.51.100.1')).toEqual({
      kind: 'throttled',
      retryAfterMs: limits.signInWindowMs - minuteMs,
    })
    expect((await attempt('target@dev.example', password, '198.51.100.2')).kind).toBe('signed_in')
    expect((await attempt('neighbour@dev.example', password, '198.51.100.1')).kind).toBe('signed_in')

    bench.address = '198.51.100.1'
    const input = { ...tokenInput, email: 'target@dev.example' }
    const error = await bench.answer('personal_token.create', anonymous, input).catch((e: unknown) => e)
    expect(error).toMatchObject({
      status: 429,
      code: 'identity.too_many_attempts',
      options: { headers: { 'retry-after': String((limits.signInWindowMs - minuteMs) / 1000) } },
    })

    bench.clock.advance(limits.signInWindowMs - minuteMs)
    expect(await attempt('target@dev.example', password, '198.51.100.1')).toEqual({
      kind: 'signed_in',
      personId,
    })
  })

  test('all at once gets no further than one after the other', async () => {
    await guess('nobody@burst.example', '198.51.100.7', limits.signInFailuresMax - 2)
    const burst = Array.from({ length: 8 }, () => attempt('nobody@burst.example', 'guess', '198.51.100.7'))
    const kinds = (await Promise.all(burst)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(2)
    expect(kinds.filter((kind) => kind === 'throttled')).toHaveLength(6)
  })

  test('is forgotten after the right password', async () => {
    await bench.person('forgetful@dev.example')
    await guess('forgetful@dev.example', '203.0.113.9', 2)
    const before = await bench.db.queries.signInThrottle.count()
    await attempt('forgetful@dev.example', password, '203.0.113.9')
    expect(await bench.db.queries.signInThrottle.count()).toBe(before - 1)
  })

  test('from everywhere locks nobody out of their account: each address keeps three tries', async () => {
    const { personId } = await bench.person('hunted@dev.example')
    const account = 'hunted@dev.example'
    const anywhere = attemptsKey({ purpose: 'sign-in', account, address: 'anywhere' })
    for (let sent = 0; sent < limits.signInAccountFailuresMax; sent += 1)
      await countAttempt(bench.db.queries, anywhere, bench.clock.nowMs(), accountDayWindow)

    // Who has guessed before has no more tries, and guessing on changes nothing for the person.
    await guess(account, '198.51.100.40', limits.signInTriesUnderAttackMax)
    expect((await attempt(account, password, '198.51.100.40')).kind).toBe('throttled')
    expect(await attempt(account, password, '203.0.113.40')).toEqual({ kind: 'signed_in', personId })
    // Two mistakes are a person's; the third try is theirs, too.
    await guess(account, '203.0.113.41', limits.signInTriesUnderAttackMax - 1)
    expect((await attempt(account, password, '203.0.113.41')).kind).toBe('signed_in')
    // Being right does not end the attack: who goes on guessing has as few tries as before.
    await guess(account, '198.51.100.41', limits.signInTriesUnderAttackMax)
    expect((await attempt(account, password, '198.51.100.41')).kind).toBe('throttled')
  })

  test('one password on many accounts ends for the network, and for no other', async () => {
    await bench.person('sprayed@dev.example')
    const spraying = attemptsKey({ purpose: 'sign-in', account: '', address: '2001:db8:0:7::1' })
    for (let sent = 0; sent < limits.signInNetworkFailuresMax; sent += 1)
      await countAttempt(bench.db.queries, spraying, bench.clock.nowMs(), networkWindow)
    expect((await attempt('sprayed@dev.example', password, '2001:db8:0:7:ffff::2')).kind).toBe('throttled')
    expect((await attempt('sprayed@dev.example', password, '2001:db8:0:8::1')).kind).toBe('signed_in')
  })

  test('leaves no rows behind for ever', async () => {
    bench.clock.advance(limits.secondFactorWindowMs)
    for (let i = 0; i < 3; i += 1) await guess(`sweep${i}@dev.example`, '203.0.113.77', 1)
    expect(await bench.db.queries.signInThrottle.count()).toBe(3)
  })
})

describe('a personal token', () => {
  async function create(email: string, more: object = {}) {
    bench.address = '192.0.2.1'
    return bench.call('personal_token.create', anonymous, { ...tokenInput, email, ...more })
  }
  /** As the operation does, without the password. */
  const issue = ({ personId }: PersonCaller, lifetimeMs = 3_600_000) =>
    bench.db.tx((tx) =>
      createPersonalToken(tx, bench.ids, { personId, name: 'laptop', audiences: ['account'], lifetimeMs }),
    )
  const find = (token: string) => findPersonalToken(bench.db.queries, token, bench.clock)

  test('stands for its person, for the audiences it was made for', async () => {
    const person = await bench.person('tokens@dev.example')
    const created = await create('tokens@dev.example', { lifetimeSeconds: 3600 })
    expect(created).toEqual({
      id: expect.stringMatching(/^ptk_/),
      token: expect.stringMatching(/^stoa_pt_/),
      name: 'laptop',
      audiences: ['account', 'developer'],
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    })
    expect(Date.parse(created.expiresAt) - Date.parse(created.createdAt)).toBe(3_600_000)
    expect(await find(created.token)).toEqual({
      ...person,
      credentialId: created.id,
      audiences: new Set(['account', 'developer']),
    })
    expect(await find(`${created.token.slice(0, -1)}x`)).toBeNull()
    expect(await find(mintToken('personalToken', bench.ids.random))).toBeNull()
    expect(await find('stoa_pt_\u0000')).toBeNull()
  })

  test('is stored as a hash and never shown again', async () => {
    const person = await bench.person('hashed@dev.example')
    const { token } = await create('hashed@dev.example')
    expect(JSON.stringify(await bench.db.queries.personalToken.findMany())).not.toContain(token)
    const list = await bench.call('personal_token.list', person, {})
    expect(list).toMatchObject({ hasMore: false, nextCursor: null })
    expect(list.data).toEqual([
      {
        id: expect.any(String),
        name: 'laptop',
        audiences: ['account', 'developer'],
        createdAt: expect.any(String),
        expiresAt: expect.any(String),
        lastUsedAt: null,
      },
    ])
  })

  test('ends with its lifetime, 90 days unless said otherwise', async () => {
    const person = await bench.person('lifetime@dev.example')
    const short = await issue(person, minuteMs)
    const usual = await create('lifetime@dev.example')
    bench.clock.advance(minuteMs - 1)
    expect(await find(short.token)).not.toBeNull()
    bench.clock.advance(1)
    expect(await find(short.token)).toBeNull()
    bench.clock.advance(limits.personalTokenMs - minuteMs - 1)
    expect(await find(usual.token)).not.toBeNull()
    bench.clock.advance(1)
    expect(await find(usual.token)).toBeNull()
  })

  test('is one nobody can ask for beyond the limits', async () => {
    await bench.person('limits@dev.example')
    for (const more of [
      { lifetimeSeconds: 59 },
      { lifetimeSeconds: limits.personalTokenMsMax / 1000 + 1 },
      { audiences: [] },
      { audiences: ['host'] },
      { audiences: ['account', 'account'] },
      { name: '' },
    ]) {
      const input = { ...tokenInput, email: 'limits@dev.example', ...more }
      expect(await bench.refusal('personal_token.create', anonymous, input)).toMatchObject({ status: 400 })
    }
  })

  test('notes its last use, at most once a minute', async () => {
    const person = await bench.person('used@dev.example')
    const { token } = await issue(person)
    const lastUsedAt = async () => (await bench.call('personal_token.list', person, {})).data[0].lastUsedAt
    await find(token)
    const first = await lastUsedAt()
    expect(first).not.toBeNull()
    bench.clock.advance(limits.credentialSeenMs - 5000)
    await find(token)
    expect(await lastUsedAt()).toBe(first)
    bench.clock.advance(6000)
    await find(token)
    expect(Date.parse(await lastUsedAt())).toBeGreaterThan(Date.parse(first))
  })

  test('ends at once when it is revoked', async () => {
    const person = await bench.person('revoke@dev.example')
    const { id, token } = await issue(person)
    expect(await bench.answer('personal_token.revoke', person, { tokenId: id })).toMatchObject({
      status: 204,
      output: undefined,
    })
    expect(await find(token)).toBeNull()
    expect((await bench.call('personal_token.list', person, {})).data).toEqual([])
  })

  test('of somebody else is, word for word, one that does not exist', async () => {
    const person = await bench.person('owner@dev.example')
    const stranger = await bench.person('stranger@dev.example')
    const { id, token } = await issue(person)
    const foreign = await bench.refusal('personal_token.revoke', stranger, { tokenId: id })
    const missing = await bench.refusal('personal_token.revoke', stranger, {
      tokenId: newId('personalToken', bench.ids),
    })
    expect(foreign).toMatchObject({ status: 404, code: 'identity.token_not_found' })
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
    expect(await find(token)).not.toBeNull()

    await bench.call('personal_token.revoke', person, { tokenId: id })
    expect(await bench.refusal('personal_token.revoke', person, { tokenId: id })).toEqual(missing)
  })

  test('of a disabled person is nobody’s', async () => {
    const person = await bench.person('gone@dev.example')
    const { token } = await issue(person)
    await disable(person.personId)
    expect(await find(token)).toBeNull()
  })

  test('is refused when the person has too many, until one has ended', async () => {
    const person = await bench.person('many@dev.example')
    const expiresAt = toDate(bench.clock.nowMs() + minuteMs)
    await bench.db.queries.personalToken.createMany({
      data: Array.from({ length: limits.personalTokensMax }, (_, index) => ({
        id: newId('personalToken', bench.ids),
        personId: person.personId,
        hash: `many ${index}`,
        name: 'x',
        scopes: ['account'],
        createdAt: toDate(bench.clock.nowMs()),
        expiresAt,
      })),
    })
    const input = { ...tokenInput, email: 'many@dev.example' }
    expect(await bench.refusal('personal_token.create', anonymous, input)).toMatchObject({
      status: 409,
      code: 'identity.too_many_tokens',
    })
    const first = await bench.call('personal_token.list', person, { limit: 30 })
    const second = await bench.call('personal_token.list', person, { limit: 30, after: first.nextCursor })
    const ids = [...first.data, ...second.data].map(({ id }) => id)
    expect(new Set(ids).size).toBe(limits.personalTokensMax)
    expect(second.hasMore).toBe(false)

    bench.clock.advance(minuteMs)
    await issue(person)
    expect(await bench.db.queries.personalToken.count({ where: { personId: person.personId } })).toBe(1)
  })
})
