import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PersonCaller } from '../../../src/capability/index.ts'
import { type Entry, findSession, type WaysIn } from '../../../src/identity/index.ts'
import { beginPasskey, verifyPasskey } from '../../../src/identity/passkey/enrol-passkey.ts'
import { relyingPartyOf } from '../../../src/identity/passkey/relying-party.ts'
import { limits, mintToken, toDate } from '../../../src/kernel/index.ts'
import { totpCode } from '../../support/authenticator-app.ts'
import {
  makeSoftwareAuthenticator,
  type SoftwareAuthenticator,
  type Tweaks,
} from '../../support/software-authenticator.ts'
import { type Bench, keys, openBench, password, waysInOf } from './bench.ts'

const origin = 'https://open.example'
let bench: Bench
let waysIn: WaysIn

beforeAll(async () => {
  bench = await openBench()
  waysIn = waysInOf(bench, origin)
})
afterAll(() => bench.close())

interface Question {
  readonly options: { readonly challenge: string; readonly rpId: string }
  readonly challenge: string
}

const browserOf = () => ({
  browser: mintToken('session', bench.ids.random),
  address: '192.0.2.1',
  userAgent: 'Firefox',
})
const ask = (visitor: { readonly browser: string }) => waysIn.askForPasskey(visitor) as Question

/** As `passkey.enrol` does after the password, without the time that one takes. */
function begin({ personId, displayName }: Pick<PersonCaller, 'personId' | 'displayName'>, name: string) {
  const deps = { queries: bench.db.queries, keys, publicUrl: origin, ...bench.ids }
  return beginPasskey(deps, { personId, displayName, name, account: displayName })
}

async function register(person: PersonCaller, device: SoftwareAuthenticator, name = 'laptop') {
  const { options, enrolment } = await begin(person, name)
  return bench.call('passkey.add', person, { enrolment, credential: device.create(options) })
}

async function withPasskey(email: string, counts = true) {
  const person = await bench.person(email)
  const device = makeSoftwareAuthenticator(origin, counts)
  const passkey = await register(person, device)
  return { person, device, passkey }
}

async function signIn(device: SoftwareAuthenticator, tweaks: Tweaks = {}): Promise<Entry> {
  const visitor = browserOf()
  const { options, challenge } = ask(visitor)
  const credential = JSON.stringify(device.get(options, tweaks))
  return waysIn.byPasskey(visitor, { challenge, credential })
}

describe('adding a passkey', () => {
  test('asks for a discoverable one, unlocked by the person, under a challenge of its own', async () => {
    const person = await bench.person('options@dev.example')
    const enrol = () => bench.call('passkey.enrol', person, { name: 'phone', password })
    const [one, two] = [await enrol(), await enrol()]
    expect(one.options).toMatchObject({
      rp: { id: 'open.example' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
    expect(Buffer.from(one.options.challenge, 'base64url')).toHaveLength(32)
    expect(one.options.challenge).not.toBe(two.options.challenge)
  })

  test('needs the password, and lists the passkey under its name', async () => {
    const { person, passkey } = await withPasskey('named@dev.example')
    expect(await bench.refusal('passkey.enrol', person, { name: 'phone' })).toMatchObject({
      code: 'identity.password_required',
    })
    expect((await bench.call('passkey.list', person, {})).data).toEqual([passkey])
    expect(passkey).toEqual({
      id: expect.stringMatching(/^pky_/),
      name: 'laptop',
      createdAt: expect.any(String),
      lastUsedAt: null,
    })
  })

  test('of one person several times gives several, which the next device is told not to make again', async () => {
    const { person } = await withPasskey('several@dev.example')
    await register(person, makeSoftwareAuthenticator(origin), 'phone')
    const { data } = await bench.call('passkey.list', person, {})
    expect(data.map(({ name }: { name: string }) => name).sort()).toEqual(['laptop', 'phone'])
    const { options } = await bench.call('passkey.enrol', person, { name: 'key', password })
    expect(options.excludeCredentials).toHaveLength(2)
  })

  test.each<[string, Tweaks]>([
    ['another origin', { origin: 'https://open.example.evil.example' }],
    ['plain http', { origin: 'http://open.example' }],
    ['another port', { origin: 'https://open.example:8443' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['the answer to a sign-in', { type: 'webauthn.get' }],
    ['a device that nobody unlocked', { userVerified: false }],
    ['a statement of an unknown format', { attestation: { fmt: 'tea', attStmt: new Map() } }],
  ])('for %s is refused', async (what, tweaks) => {
    const person = await bench.person(`${what.replaceAll(' ', '-')}@dev.example`)
    const { options, enrolment } = await begin(person, 'x')
    const credential = makeSoftwareAuthenticator(origin).create(options, tweaks)
    expect(await bench.refusal('passkey.add', person, { enrolment, credential })).toMatchObject({
      ...{ status: 422, code: 'identity.passkey_refused' },
    })
    expect((await bench.call('passkey.list', person, {})).data).toEqual([])
  })

  test('whose statement the new key itself has signed is taken, as a browser may send it unasked', async () => {
    const person = await bench.person('self-attested@dev.example')
    const { options, enrolment } = await begin(person, 'x')
    const credential = makeSoftwareAuthenticator(origin).create(options, { selfAttested: true })
    await bench.call('passkey.add', person, { enrolment, credential })
    expect((await bench.call('passkey.list', person, {})).data).toHaveLength(1)
  })

  test.each(['packed', 'tpm', 'android-key', 'apple', 'fido-u2f', 'android-safetynet'])(
    'with a certificate (%s) is refused before the library looks at it',
    async (fmt) => {
      const { personId } = await bench.person(`certificate-${fmt}@dev.example`)
      const { options, enrolment } = await begin({ personId, displayName: 'x' }, 'x')
      const attStmt = new Map<string, string | number | Uint8Array | Uint8Array[]>([
        ['alg', -7],
        ['sig', Buffer.alloc(70)],
        ['x5c', [Buffer.from('a certificate')]],
      ])
      const credential = makeSoftwareAuthenticator(origin).create(options, { attestation: { fmt, attStmt } })
      const deps = { keys, clock: bench.clock, publicUrl: origin }
      const error = await verifyPasskey(deps, { personId, enrolment, credential }).catch((e: unknown) => e)
      // What the library refuses comes with its error as the cause.
      expect(error).toMatchObject({ code: 'identity.passkey_refused' })
      expect(error).not.toHaveProperty('options.cause')
    },
  )

  test('works once for each question, for the person who asked it, for five minutes', async () => {
    const [person, other] = [await bench.person('asked@dev.example'), await bench.person('other@dev.example')]
    const device = makeSoftwareAuthenticator(origin)
    const { options, enrolment } = await begin(person, 'x')
    const input = { enrolment, credential: device.create(options) }
    const over = { status: 422, code: 'identity.enrolment_not_valid' }
    expect(await bench.refusal('passkey.add', other, input)).toMatchObject(over)
    await bench.call('passkey.add', person, input)
    expect(await bench.refusal('passkey.add', person, input)).toMatchObject(over)
    const late = await begin(person, 'y')
    bench.clock.advance(limits.passkeyChallengeMs)
    const answer = { enrolment: late.enrolment, credential: device.create(late.options) }
    expect(await bench.refusal('passkey.add', person, answer)).toMatchObject(over)
  })

  test('that somebody else has registered is refused', async () => {
    const { device, person } = await withPasskey('first@dev.example')
    const thief = await bench.person('thief@dev.example')
    const { identifier } = await bench.db.queries.signIn.findFirstOrThrow({
      where: { personId: person.personId, kind: 'passkey' },
    })
    const { options, enrolment } = await begin(thief, 'x')
    const credential = { ...device.create(options), id: identifier }
    expect(await bench.refusal('passkey.add', thief, { enrolment, credential })).toMatchObject({
      code: 'identity.passkey_refused',
    })
  })

  test('ends at twenty', async () => {
    const { person } = await withPasskey('many@dev.example')
    const createdAt = toDate(bench.clock.nowMs())
    await bench.db.queries.signIn.createMany({
      data: Array.from({ length: limits.passkeysMax - 1 }, (_, index) => ({
        ...{ id: `pky_many_${index}`, personId: person.personId, kind: 'passkey', createdAt },
        ...{ identifier: `many ${index}`, secret: '', name: 'x', counter: 0n },
      })),
    })
    expect(await bench.refusal('passkey.enrol', person, { name: 'x', password })).toMatchObject({
      ...{ status: 409, code: 'identity.too_many_passkeys' },
    })
  })
})

describe('signing in with a passkey', () => {
  test('starts a session of its person, who needed to name nobody', async () => {
    const { person, device, passkey } = await withPasskey('in@dev.example')
    const entry = await signIn(device)
    expect(entry).toMatchObject({ kind: 'signed_in', person: { personId: person.personId } })
    const cookie = entry.kind === 'signed_in' ? entry.cookie : ''
    expect(await findSession(bench.db.queries, cookie, bench.clock)).not.toBeNull()
    const [listed] = (await bench.call('passkey.list', person, {})).data
    expect(listed).toMatchObject({ id: passkey.id, lastUsedAt: expect.any(String) })
  })

  test('asks for no code as well: it is two factors by itself', async () => {
    const { person, device } = await withPasskey('both@dev.example')
    const { secret, enrolment } = await bench.call('second_factor.enrol', person, { password })
    const code = totpCode(secret, bench.clock.nowMs())
    await bench.call('second_factor.confirm', person, { enrolment, code })
    expect((await signIn(device)).kind).toBe('signed_in')
  })

  test.each<[string, Tweaks]>([
    ['from another origin', { origin: 'https://evil.example' }],
    ['from a sub-domain', { origin: 'https://shop.open.example' }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['to another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['that is a registration', { type: 'webauthn.create' }],
    ['from inside a frame', { crossOrigin: true }],
    ['of a device that nobody unlocked', { userVerified: false }],
    ['signed by another key', { otherKey: true }],
    [
      'for another person',
      { userHandle: Buffer.from('per_01ARZ3NDEKTSV4RRFFQ69G5FAV').toString('base64url') },
    ],
  ])('with an answer %s is refused', async (what, tweaks) => {
    const { device } = await withPasskey(`${what.replaceAll(' ', '-')}@dev.example`)
    expect(await signIn(device, tweaks)).toEqual({ kind: 'refused' })
    expect((await signIn(device)).kind).toBe('signed_in')
  })

  test('with a counter that has not grown is refused: somebody has copied the device', async () => {
    const { device } = await withPasskey('cloned@dev.example')
    expect((await signIn(device, { counter: 7 })).kind).toBe('signed_in')
    expect(await signIn(device, { counter: 7 })).toEqual({ kind: 'refused' })
    expect(await signIn(device, { counter: 3 })).toEqual({ kind: 'refused' })
    expect(await signIn(device, { counter: 0 })).toEqual({ kind: 'refused' })
    expect((await signIn(device, { counter: 8 })).kind).toBe('signed_in')
  })

  test('on a device that counts nothing goes on working', async () => {
    const { device } = await withPasskey('synced@dev.example', false)
    expect((await signIn(device)).kind).toBe('signed_in')
    expect((await signIn(device)).kind).toBe('signed_in')
  })

  test('with an answer that was used is refused, in this browser and in any other', async () => {
    const { device } = await withPasskey('replay@dev.example', false)
    const visitor = browserOf()
    const { options, challenge } = ask(visitor)
    const given = { challenge, credential: JSON.stringify(device.get(options)) }
    expect((await waysIn.byPasskey(visitor, given)).kind).toBe('signed_in')
    expect(await waysIn.byPasskey(visitor, given)).toEqual({ kind: 'expired' })
    expect(await waysIn.byPasskey(browserOf(), given)).toEqual({ kind: 'expired' })
    // The same sealed challenge in another spelling is the same.
    expect(await waysIn.byPasskey(visitor, { ...given, challenge: `${challenge}=` })).toEqual({
      kind: 'expired',
    })
  })

  test('several times at once with one answer starts one session', async () => {
    const { device, person } = await withPasskey('burst@dev.example', false)
    const visitor = browserOf()
    const { options, challenge } = ask(visitor)
    const given = { challenge, credential: JSON.stringify(device.get(options)) }
    await Promise.all(Array.from({ length: 5 }, () => waysIn.byPasskey(visitor, given)))
    expect(await bench.db.queries.session.count({ where: { personId: person.personId } })).toBe(1)
  })

  test('after five minutes, or to the question of another browser, is refused', async () => {
    const { device } = await withPasskey('late@dev.example')
    const [visitor, other] = [browserOf(), browserOf()]
    const { options, challenge } = ask(visitor)
    const given = { challenge, credential: JSON.stringify(device.get(options)) }
    expect(await waysIn.byPasskey(other, given)).toEqual({ kind: 'expired' })
    bench.clock.advance(limits.passkeyChallengeMs)
    expect(await waysIn.byPasskey(visitor, given)).toEqual({ kind: 'expired' })
  })

  test.each(['', 'null', '[]', '{}', '{"id":"a"}', '"text"', '{', `{"id":"${'a'.repeat(3000)}"}`])(
    'survives any text in the place of an answer: %j',
    async (credential) => {
      const visitor = browserOf()
      const { challenge } = ask(visitor)
      expect(await waysIn.byPasskey(visitor, { challenge, credential })).toEqual({ kind: 'refused' })
    },
  )

  test('survives an answer whose parts are not what they should be', async () => {
    const { device } = await withPasskey('malformed@dev.example')
    const visitor = browserOf()
    const { options, challenge } = ask(visitor)
    const whole = device.get(options)
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle'] as const) {
      const credential = JSON.stringify({ ...whole, [part]: 'AAAA' })
      expect(await waysIn.byPasskey(visitor, { challenge, credential }), part).toEqual({ kind: 'refused' })
    }
  })

  test('wrongly too often stops at one address, and nobody else is stopped', async () => {
    const { device } = await withPasskey('tried@dev.example')
    const attempt = (address: string, tweaks: Tweaks = {}) => {
      const visitor = { ...browserOf(), address }
      const { options, challenge } = ask(visitor)
      return waysIn.byPasskey(visitor, { challenge, credential: JSON.stringify(device.get(options, tweaks)) })
    }
    for (let i = 0; i < limits.signInFailuresMax; i += 1) await attempt('198.51.100.9', { otherKey: true })
    expect(await attempt('198.51.100.9')).toEqual({ kind: 'refused' })
    expect((await attempt('198.51.100.10')).kind).toBe('signed_in')
    const { device: neighbour } = await withPasskey('neighbour@dev.example')
    const visitor = { ...browserOf(), address: '198.51.100.9' }
    const { options, challenge } = ask(visitor)
    const given = { challenge, credential: JSON.stringify(neighbour.get(options)) }
    expect((await waysIn.byPasskey(visitor, given)).kind).toBe('signed_in')
  })

  test('of somebody who was disabled is refused', async () => {
    const { device, person } = await withPasskey('disabled@dev.example')
    const disabledAt = toDate(bench.clock.nowMs())
    await bench.db.queries.person.update({ where: { id: person.personId }, data: { disabledAt } })
    expect(await signIn(device)).toEqual({ kind: 'refused' })
  })
})

describe('removing a passkey', () => {
  test('needs the password, and ends it at once', async () => {
    const { person, device, passkey } = await withPasskey('gone@dev.example')
    expect(await bench.refusal('passkey.remove', person, { passkeyId: passkey.id })).toMatchObject({
      code: 'identity.password_required',
    })
    await bench.call('passkey.remove', person, { passkeyId: passkey.id, password })
    expect(await signIn(device)).toEqual({ kind: 'refused' })
  })

  test('of somebody else is, word for word, one that does not exist', async () => {
    const { passkey } = await withPasskey('owner@dev.example')
    const { person: stranger, passkey: gone } = await withPasskey('stranger@dev.example')
    await bench.call('passkey.remove', stranger, { passkeyId: gone.id, password })
    const refusal = (passkeyId: string) => bench.refusal('passkey.remove', stranger, { passkeyId, password })
    const [foreign, missing] = [await refusal(passkey.id), await refusal(gone.id)]
    expect(foreign).toMatchObject({ status: 404, code: 'identity.passkey_not_found' })
    expect(foreign).toEqual(missing)
  })

  test('is refused for the last way in, also for two at once', async () => {
    const { person, device, passkey } = await withPasskey('last@dev.example')
    const second = await register(person, makeSoftwareAuthenticator(origin), 'phone')
    await bench.db.queries.signIn.deleteMany({ where: { personId: person.personId, kind: 'password' } })
    const entry = await signIn(device, { counter: 100 })
    const caller = entry.kind === 'signed_in' ? entry.person : person
    const results = await Promise.allSettled(
      [passkey.id, second.id].map((passkeyId) => bench.call('passkey.remove', caller, { passkeyId })),
    )
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'identity.last_way_in' },
    })
    expect((await bench.call('passkey.list', caller, {})).data).toHaveLength(1)
  })
})

test('under an IP address there are no passkeys, and a page is not offered any', async () => {
  for (const publicUrl of ['http://127.0.0.1:4000', 'http://[::1]:4000', 'https://192.0.2.7']) {
    expect(relyingPartyOf(publicUrl), publicUrl).toBeNull()
    const there = waysInOf(bench, publicUrl)
    expect(there.askForPasskey({ browser: 'x' })).toBeNull()
  }
  const credential = { id: 'a', clientDataJSON: 'a', attestationObject: 'a' }
  const input = { personId: 'per_1', enrolment: '', credential }
  const deps = { keys, clock: bench.clock, publicUrl: 'http://127.0.0.1:4000' }
  await expect(verifyPasskey(deps, input)).rejects.toMatchObject({ code: 'identity.passkeys_unavailable' })
  expect(relyingPartyOf('http://localhost:4000')).toEqual({
    id: 'localhost',
    origin: 'http://localhost:4000',
  })
})
