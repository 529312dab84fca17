import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { anonymous, type Bench, host, openBench, password } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const ada = { email: 'ada@dev.example', password, displayName: 'Ada', locale: 'zh-CN' }

describe('registering', () => {
  test('makes a person who can sign in at once', async () => {
    const { status, output } = await bench.answer('person.register', anonymous, {
      ...ada,
      email: 'Ada@Dev.example',
    })
    expect(status).toBe(201)
    expect(output).toEqual({
      id: expect.stringMatching(/^per_/),
      email: 'ada@dev.example',
      displayName: 'Ada',
      locale: 'zh-CN',
    })
    const token = await bench.call('personal_token.create', anonymous, {
      email: 'ADA@dev.example',
      password,
      name: 'laptop',
      audiences: ['account'],
    })
    expect(token.token).toMatch(/^stoa_pt_/)
  })

  test('stores no password', async () => {
    const rows = await bench.db.queries.signIn.findMany()
    expect(rows.map(({ secret }) => secret)).toEqual([expect.stringMatching(/^scrypt\$/)])
    expect(JSON.stringify(rows)).not.toContain(password)
  })

  test('with an address that is taken leaves nothing behind', async () => {
    const before = await bench.db.queries.person.count()
    const problem = await bench.refusal('person.register', anonymous, { ...ada, email: 'ADA@dev.example' })
    expect(problem).toMatchObject({ status: 409, code: 'identity.email_taken' })
    expect(await bench.db.queries.person.count()).toBe(before)
  })

  test('twice at once makes one person', async () => {
    const input = { ...ada, email: 'twice@dev.example' }
    const results = await Promise.allSettled([
      bench.call('person.register', anonymous, input),
      bench.call('person.register', anonymous, input),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await bench.db.queries.person.count({ where: { email: input.email } })).toBe(1)
  })

  test.each([
    ['a short password', { ...ada, password: 'short' }, '/password'],
    ['no address', { ...ada, email: 'ada' }, '/email'],
    ['a blank name', { ...ada, displayName: ' ' }, '/displayName'],
    ['an unknown language', { ...ada, locale: 'tlh' }, '/locale'],
    ['an unknown member', { ...ada, platformRoles: ['operator'] }, '/platformRoles'],
  ])('with %s names the place', async (_what, input, pointer) => {
    const problem = await bench.refusal('person.register', anonymous, input)
    expect(problem).toMatchObject({ status: 400, code: 'capability.invalid_input' })
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
    expect(JSON.stringify(problem)).not.toContain(input.password)
  })

  test('does not serve to look up a list of addresses', async () => {
    bench.address = '192.0.2.66'
    const taken = { ...ada, email: 'ada@dev.example' }
    for (let i = 0; i < limits.signInFailuresMax; i += 1) {
      expect((await bench.refusal('person.register', anonymous, taken)).status).toBe(409)
    }
    const known = await bench.refusal('person.register', anonymous, taken)
    const unknown = await bench.refusal('person.register', anonymous, { ...ada, email: 'new@dev.example' })
    expect(known).toMatchObject({ status: 429, code: 'identity.too_many_attempts' })
    expect(unknown).toEqual(known)

    bench.address = '192.0.2.67'
    expect((await bench.refusal('person.register', anonymous, taken)).status).toBe(409)
    bench.address = '192.0.2.66'
    bench.clock.advance(limits.signInWindowMs)
    expect((await bench.refusal('person.register', anonymous, taken)).status).toBe(409)
  })
})

test('a platform that has closed registration refuses everybody alike', async () => {
  const closed = await openBench({ registrationOpen: false })
  const problem = await closed.refusal('person.register', anonymous, ada)
  expect(problem).toMatchObject({ status: 403, code: 'identity.registration_closed' })
  expect(await closed.db.queries.person.count()).toBe(0)
  await closed.close()
})

describe('one’s own profile', () => {
  test('shows name, memberships and roles', async () => {
    const person = await bench.person('grace@dev.example')
    const publisher = await bench.call('publisher.create', person, { name: 'Grace & Co' })
    expect(await bench.call('me.get', person, {})).toEqual({
      id: person.personId,
      email: 'grace@dev.example',
      displayName: 'grace',
      locale: 'en',
      publishers: [{ publisherId: publisher.id, name: 'Grace & Co', role: 'owner' }],
      merchants: [],
      platformRoles: [],
    })
  })

  test('changes in what is given and keeps the rest', async () => {
    const person = await bench.person('edsger@dev.example')
    expect(await bench.call('me.update', person, { displayName: 'Edsger W.' })).toMatchObject({
      displayName: 'Edsger W.',
      locale: 'en',
    })
    expect(await bench.call('me.update', person, { locale: 'zh-CN' })).toMatchObject({
      displayName: 'Edsger W.',
      locale: 'zh-CN',
    })
    expect(await bench.call('me.update', person, {})).toMatchObject({ locale: 'zh-CN' })
    expect((await bench.refusal('me.update', person, { email: 'other@dev.example' })).status).toBe(400)
  })

  test('needs a person, with a credential for the account', async () => {
    const person = await bench.person('barbara@dev.example')
    const narrow = { ...person, audiences: new Set(['developer']) }
    expect(await bench.refusal('me.get', anonymous, {})).toMatchObject({ status: 401 })
    expect(await bench.refusal('me.get', host, {})).toMatchObject({ status: 403 })
    expect(await bench.refusal('me.get', narrow, {})).toMatchObject({
      status: 403,
      code: 'capability.wrong_credential',
    })
  })
})
