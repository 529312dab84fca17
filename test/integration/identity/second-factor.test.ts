import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PersonCaller } from '../../../src/capability/index.ts'
import { checkSecondFactor } from '../../../src/identity/totp/check-second-factor.ts'
import { limits } from '../../../src/kernel/index.ts'
import { totpCode } from '../../support/authenticator-app.ts'
import { anonymous, type Bench, keys, openBench, password } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const stepMs = 30_000

interface Enrolled {
  readonly person: PersonCaller
  readonly email: string
  readonly secret: string
  readonly recoveryCodes: readonly string[]
}

const code = (secret: string, awayMs = 0) => totpCode(secret, bench.clock.nowMs() + awayMs)

async function enrolled(email: string): Promise<Enrolled> {
  const person = await bench.person(email)
  const { secret, enrolment } = await bench.call('second_factor.enrol', person, { password })
  const { recoveryCodes } = await bench.call('second_factor.confirm', person, {
    enrolment,
    code: code(secret),
  })
  bench.clock.advance(2 * stepMs)
  return { person, email, secret, recoveryCodes }
}

const tokenInput = { password, name: 'laptop', audiences: ['account'] }
const signInWith = (email: string, totp?: string) =>
  bench.call('personal_token.create', anonymous, {
    ...tokenInput,
    email,
    ...(totp === undefined ? {} : { totp }),
  })
const refusedWith = (email: string, totp?: string) =>
  bench.refusal('personal_token.create', anonymous, {
    ...tokenInput,
    email,
    ...(totp === undefined ? {} : { totp }),
  })

describe('setting up a second factor', () => {
  test('needs the password', async () => {
    const person = await bench.person('enrol@dev.example')
    expect(await bench.refusal('second_factor.enrol', person, {})).toMatchObject({
      code: 'identity.password_required',
    })
    expect(await bench.refusal('second_factor.enrol', person, { password: 'wrong' })).toMatchObject({
      code: 'identity.password_refused',
    })
  })

  test('changes nothing until the app has shown its first code', async () => {
    const person = await bench.person('begun@dev.example')
    const { uri, secret } = await bench.call('second_factor.enrol', person, { password })
    expect(uri).toContain('otpauth://totp/open.example:begun%40dev.example?')
    expect(uri).toContain(`secret=${secret}`)
    expect((await signInWith('begun@dev.example')).token).toMatch(/^stoa_pt_/)
  })

  test('stores the secret sealed and the recovery codes as hashes', async () => {
    const { person, secret, recoveryCodes } = await enrolled('stored@dev.example')
    const { personId } = person
    const rows = JSON.stringify([
      await bench.db.queries.recoveryCode.findMany({ where: { personId } }),
      (await bench.db.queries.signIn.findMany({ where: { personId } })).map((row) => row.secret),
    ])
    expect(recoveryCodes).toHaveLength(limits.recoveryCodes)
    for (const shown of [secret, ...recoveryCodes, ...recoveryCodes.map((one) => one.replaceAll('-', ''))])
      expect(rows).not.toContain(shown)
  })

  test.each([
    [
      'a wrong code',
      (secret: string) => (code(secret) === '000000' ? '111111' : '000000'),
      'identity.code_refused',
    ],
    ['a code of an hour ago', (secret: string) => code(secret, -3_600_000), 'identity.code_refused'],
  ])('with %s goes no further', async (what, codeOf, refusal) => {
    const person = await bench.person(`${what.replaceAll(' ', '-')}@dev.example`)
    const { secret, enrolment } = await bench.call('second_factor.enrol', person, { password })
    const input = { enrolment, code: codeOf(secret) }
    expect(await bench.refusal('second_factor.confirm', person, input)).toMatchObject({ code: refusal })
  })

  test('that somebody else began, or that took too long, is over', async () => {
    const [person, other] = [await bench.person('one@dev.example'), await bench.person('two@dev.example')]
    const { secret, enrolment } = await bench.call('second_factor.enrol', person, { password })
    const refusal = (caller: PersonCaller) =>
      bench.refusal('second_factor.confirm', caller, { enrolment, code: code(secret) })
    expect(await refusal(other)).toMatchObject({ status: 422, code: 'identity.enrolment_not_valid' })
    bench.clock.advance(limits.totpEnrolmentMs)
    expect(await refusal(person)).toMatchObject({ status: 422, code: 'identity.enrolment_not_valid' })
  })

  test('works once: not a second time, and not after it was removed', async () => {
    const person = await bench.person('once@dev.example')
    const { secret, enrolment } = await bench.call('second_factor.enrol', person, { password })
    const confirm = () => bench.refusal('second_factor.confirm', person, { enrolment, code: code(secret) })
    await bench.call('second_factor.confirm', person, { enrolment, code: code(secret) })
    expect(await confirm()).toMatchObject({ code: 'identity.enrolment_not_valid' })
    await bench.call('second_factor.remove', person, { password })
    expect(await confirm()).toMatchObject({ code: 'identity.enrolment_not_valid' })
  })

  test('twice at once leaves one', async () => {
    const person = await bench.person('race@dev.example')
    const begun = [
      await bench.call('second_factor.enrol', person, { password }),
      await bench.call('second_factor.enrol', person, { password }),
    ]
    const results = await Promise.allSettled(
      begun.map(({ secret, enrolment }) =>
        bench.call('second_factor.confirm', person, { enrolment, code: code(secret) }),
      ),
    )
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await bench.refusal('second_factor.enrol', person, { password })).toMatchObject({
      ...{ status: 409, code: 'identity.second_factor_exists' },
    })
  })
})

describe('signing in with a second factor', () => {
  test('asks for the code after the right password, and only then', async () => {
    const { email, secret } = await enrolled('asked@dev.example')
    expect(await refusedWith(email)).toMatchObject({ status: 401, code: 'identity.second_factor_required' })
    const wrong = { ...tokenInput, email, password: 'wrong', totp: code(secret) }
    expect(await bench.refusal('personal_token.create', anonymous, wrong)).toMatchObject({
      code: 'identity.sign_in_refused',
    })
    expect((await signInWith(email, code(secret))).token).toMatch(/^stoa_pt_/)
  })

  test('refuses a code that was used, though its time is not over', async () => {
    const { email, secret } = await enrolled('replay@dev.example')
    await signInWith(email, code(secret))
    expect(await refusedWith(email, code(secret))).toMatchObject({
      ...{ status: 401, code: 'identity.second_factor_refused' },
    })
    // The one before it was not used, but whoever watched may have seen it.
    expect((await refusedWith(email, code(secret, -stepMs))).code).toBe('identity.second_factor_refused')
    bench.clock.advance(stepMs)
    await signInWith(email, code(secret))
  })

  test('refuses the code that finished the enrolment', async () => {
    const person = await bench.person('first-code@dev.example')
    const { secret, enrolment } = await bench.call('second_factor.enrol', person, { password })
    const first = code(secret)
    await bench.call('second_factor.confirm', person, { enrolment, code: first })
    expect((await refusedWith('first-code@dev.example', first)).code).toBe('identity.second_factor_refused')
  })

  test('takes one code once, though it comes several times at once', async () => {
    const { email, secret } = await enrolled('burst@dev.example')
    const burst = Array.from({ length: 5 }, () => signInWith(email, code(secret)))
    const results = await Promise.allSettled(burst)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('forgives a clock that is half a minute off, and no more', async () => {
    const { email, secret } = await enrolled('slow-clock@dev.example')
    expect((await refusedWith(email, code(secret, -2 * stepMs))).code).toBe('identity.second_factor_refused')
    expect((await refusedWith(email, code(secret, 2 * stepMs))).code).toBe('identity.second_factor_refused')
    await signInWith(email, code(secret, -stepMs))
    await signInWith(email, code(secret, stepMs))
  })

  test('refuses the code of another account', async () => {
    const [one, two] = [await enrolled('mine@dev.example'), await enrolled('theirs@dev.example')]
    expect((await refusedWith(one.email, code(two.secret))).code).toBe('identity.second_factor_refused')
    const [foreign = ''] = two.recoveryCodes
    expect((await refusedWith(one.email, foreign)).code).toBe('identity.second_factor_refused')
    await signInWith(two.email, foreign)
  })

  test('takes each recovery code once', async () => {
    const { email, recoveryCodes } = await enrolled('recover@dev.example')
    const [first = '', second = ''] = recoveryCodes
    await signInWith(email, first.toLowerCase())
    expect((await refusedWith(email, first)).code).toBe('identity.second_factor_refused')
    const burst = await Promise.allSettled([signInWith(email, second), signInWith(email, second)])
    expect(burst.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })
})

describe('guessing codes', () => {
  const wrongFor = (secret: string) => (code(secret) === '000000' ? '111111' : '000000')
  /** As after the right password, without the time that one takes. */
  const guess = ({ person }: Enrolled, typed: string, address: string) => {
    const deps = { queries: bench.db.queries, clock: bench.clock, keys }
    return checkSecondFactor(deps, { personId: person.personId, code: typed, address })
  }

  test('ends after ten at one address; the person signs in from their own', async () => {
    const known = await enrolled('guess@dev.example')
    const { email, secret } = known
    for (let i = 0; i < limits.secondFactorFailuresMax; i += 1)
      expect(await guess(known, wrongFor(secret), '198.51.100.7')).toEqual({ kind: 'refused' })
    expect(await guess(known, code(secret), '198.51.100.7')).toEqual({
      ...{ kind: 'throttled', retryAfterMs: limits.signInWindowMs },
    })
    bench.address = '198.51.100.7'
    expect(await refusedWith(email, code(secret))).toMatchObject({
      ...{ status: 429, code: 'identity.too_many_attempts' },
    })
    bench.address = '192.0.2.1'
    await signInWith(email, code(secret))
    bench.clock.advance(limits.signInWindowMs)
    expect(await guess(known, code(secret), '198.51.100.7')).toEqual({ kind: 'right' })
  })

  test('from many addresses ends after a hundred in a day, right codes not counted', async () => {
    const known = await enrolled('botnet@dev.example')
    const { secret } = known
    for (let i = 0; i < limits.secondFactorFailuresPerDayMax; i += 1) {
      expect(await guess(known, wrongFor(secret), `203.0.113.${i}`)).toEqual({ kind: 'refused' })
      if (i % 20 !== 0) continue
      expect(await guess(known, code(secret), '192.0.2.1')).toEqual({ kind: 'right' })
      bench.clock.advance(stepMs)
    }
    const late = await guess(known, code(secret), '203.0.113.200')
    expect(late.kind).toBe('throttled')
    bench.clock.advance(limits.secondFactorWindowMs)
    expect(await guess(known, code(secret), '203.0.113.200')).toEqual({ kind: 'right' })
  })

  test('all at once gets no further than one after the other', async () => {
    const known = await enrolled('burst-guess@dev.example')
    const burst = Array.from({ length: 15 }, () => guess(known, wrongFor(known.secret), '198.51.100.8'))
    const kinds = (await Promise.all(burst)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(limits.secondFactorFailuresMax)
  })

  test('without the password counts for nothing: a stranger uses up nobody’s attempts', async () => {
    const { email, secret } = await enrolled('untouched@dev.example')
    const rows = await bench.db.queries.signInThrottle.count()
    const stranger = { ...tokenInput, email, password: 'guess', totp: wrongFor(secret) }
    await bench.refusal('personal_token.create', anonymous, stranger)
    // The password's own rows (at this address, of the network, of the account), and none of the codes.
    expect(await bench.db.queries.signInThrottle.count()).toBeLessThanOrEqual(rows + 3)
    await signInWith(email, code(secret))
  })
})

describe('recovery codes', () => {
  test('are replaced as a whole, by the password', async () => {
    const { person, email, recoveryCodes } = await enrolled('renew@dev.example')
    expect(await bench.refusal('recovery_code.replace', person, {})).toMatchObject({
      code: 'identity.password_required',
    })
    const renewed = await bench.call('recovery_code.replace', person, { password })
    expect((await refusedWith(email, recoveryCodes[0])).code).toBe('identity.second_factor_refused')
    await signInWith(email, renewed.recoveryCodes[0])
  })

  test('are for who has a second factor', async () => {
    const person = await bench.person('none@dev.example')
    for (const operation of ['recovery_code.replace', 'second_factor.remove'])
      expect(await bench.refusal(operation, person, { password })).toMatchObject({
        ...{ status: 404, code: 'identity.second_factor_not_found' },
      })
  })
})

test('removing the second factor needs the password, and takes the recovery codes with it', async () => {
  const { person, email, recoveryCodes } = await enrolled('remove@dev.example')
  expect(await bench.refusal('second_factor.remove', person, { password: 'wrong' })).toMatchObject({
    code: 'identity.password_refused',
  })
  await bench.call('second_factor.remove', person, { password })
  await signInWith(email)
  expect(await bench.db.queries.recoveryCode.count({ where: { personId: person.personId } })).toBe(0)
  expect(recoveryCodes).toHaveLength(10)
})
