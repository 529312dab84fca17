import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { makeTeam, openTestPlatform, type TestPlatform, type WirePage } from './platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await openTestPlatform()
})
afterAll(() => platform.close())

interface Credential {
  readonly id: string
  readonly kind: string
  readonly hint: string
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly publicKey: Record<string, unknown> | null
}
type NewCredential = Credential & { readonly clientSecret: string }
type Team = Awaited<ReturnType<typeof makeTeam>>

function publicJwk(): Record<string, unknown> {
  return { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) }
}

async function liveOf({ owner, appId }: Team): Promise<readonly Credential[]> {
  return (await platform.call<WirePage<Credential>>('credential.list', owner, { appId })).data
}

function rotate({ owner, appId }: Team, input: object = {}): Promise<NewCredential> {
  return platform.call<NewCredential>('credential.rotate', owner, { appId, ...input })
}

function addKeys({ owner, appId }: Team, keys: readonly object[]): Promise<{ data: readonly Credential[] }> {
  return platform.call('key.add', owner, { appId, keys })
}

const msOf = (time: string | null | undefined) => Date.parse(time ?? '')

describe('a rotation of the client secret', () => {
  test('makes a new one at once and lets the present one end a day later', async () => {
    const team = await makeTeam(platform, 'backend')
    const [old] = await liveOf(team)
    const made = await rotate(team)
    expect(made).toMatchObject({ kind: 'secret', expiresAt: null, lastUsedAt: null, publicKey: null })
    expect(made.hint).toBe(made.clientSecret.slice(-4))
    const live = await liveOf(team)
    expect(live.map(({ id }) => id)).toEqual([made.id, old?.id])
    const overlapMs = msOf(live[1]?.expiresAt) - msOf(made.createdAt)
    expect(Math.abs(overlapMs - limits.secretOverlapMs)).toBeLessThan(1_000)

    platform.clock.advance(limits.secretOverlapMs)
    expect((await liveOf(team)).map(({ id }) => id)).toEqual([made.id])
  })

  test.each([
    [3_600, true],
    [30 * 24 * 3_600, true],
    [3_599, false],
    [30 * 24 * 3_600 + 1, false],
  ])('with %i s of overlap is taken: %s', async (overlapSeconds, taken) => {
    const team = await makeTeam(platform, 'backend')
    if (!taken) {
      const { owner, appId } = team
      const problem = await platform.refused('credential.rotate', owner, { appId, overlapSeconds })
      expect(problem).toMatchObject({ status: 400, code: 'capability.invalid_input' })
      return
    }
    const made = await rotate(team, { overlapSeconds })
    const [, old] = await liveOf(team)
    expect(msOf(old?.expiresAt) - msOf(made.createdAt)).toBeLessThanOrEqual(overlapSeconds * 1_000)
  })

  test('is refused while an earlier one overlaps, and ends nothing then', async () => {
    const team = await makeTeam(platform, 'backend')
    await rotate(team)
    const before = await liveOf(team)
    const { owner, appId } = team
    const problem = await platform.refused('credential.rotate', owner, { appId, overlapSeconds: 3_600 })
    expect(problem).toMatchObject({ status: 409, code: 'registry.too_many_credentials' })
    expect(await liveOf(team)).toEqual(before)
  })

  test('shows when each secret was last used', async () => {
    const team = await makeTeam(platform, 'backend')
    const lastUsedAt = new Date(platform.clock.nowMs())
    await platform.db.queries.credential.updateMany({ where: { appId: team.appId }, data: { lastUsedAt } })
    expect(await liveOf(team)).toMatchObject([{ lastUsedAt: lastUsedAt.toISOString() }])
  })
})

describe('keys', () => {
  test('come as a JWK Set, stand beside the secrets and are revoked like them', async () => {
    const team = await makeTeam(platform, 'backend')
    const jwk = publicJwk()
    const { data } = await addKeys(team, [jwk, { ...publicJwk(), kid: 'second' }])
    expect(data).toMatchObject([
      { kind: 'key', publicKey: { ...jwk, alg: 'ES256', use: 'sig' }, expiresAt: null },
      { kind: 'key', publicKey: { kid: 'second' } },
    ])
    expect((await liveOf(team)).map(({ kind }) => kind).toSorted()).toEqual(['key', 'key', 'secret'])
    const { owner, appId } = team
    await platform.call('credential.revoke', owner, { appId, credentialId: data[0]?.id })
    expect((await liveOf(team)).map(({ id }) => id)).not.toContain(data[0]?.id)
  })

  test('do not count as secrets, nor secrets as keys', async () => {
    const team = await makeTeam(platform, 'backend')
    await addKeys(
      team,
      Array.from({ length: limits.liveKeysMax }, () => publicJwk()),
    )
    await rotate(team)
    const { owner, appId } = team
    const problem = await platform.refused('key.add', owner, { appId, keys: [publicJwk()] })
    expect(problem).toMatchObject({ status: 409, code: 'registry.too_many_keys' })
  })

  test('are all taken or none, with a pointer to each that is wrong', async () => {
    const team = await makeTeam(platform, 'backend')
    const { owner, appId } = team
    const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const keys = [publicJwk(), { ...mine }, { kty: 'oct', k: 'c2VjcmV0' }, { ...publicJwk(), alg: 'none' }]
    const problem = await platform.refused('key.add', owner, { appId, keys })
    expect(problem).toMatchObject({ status: 422, code: 'registry.key_refused' })
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/keys/1/d', '/keys/2/k', '/keys/3/alg'])
    expect(JSON.stringify(problem)).not.toContain(String(mine.d))
    expect((await liveOf(team)).filter(({ kind }) => kind === 'key')).toEqual([])
  })

  test('come once: neither the same key nor the same name again', async () => {
    const team = await makeTeam(platform, 'backend')
    const { owner, appId } = team
    const jwk = publicJwk()
    await addKeys(team, [{ ...jwk, kid: 'ci' }])
    const again = [
      jwk,
      { ...publicJwk(), kid: 'ci' },
      { ...publicJwk(), kid: 'b' },
      { ...publicJwk(), kid: 'b' },
    ]
    const problem = await platform.refused('key.add', owner, { appId, keys: again })
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual([
      '/keys/0/kid',
      '/keys/1/kid',
      '/keys/3/kid',
    ])
  })

  test.each([
    ['no key', { keys: [] }],
    ['more than an app may have', { keys: Array.from({ length: 6 }, () => publicJwk()) }],
    ['something that is no object', { keys: ['x'] }],
    ['a key without its set', publicJwk()],
  ])('as %s are refused as input', async (_what, input) => {
    const { owner, appId } = await makeTeam(platform, 'backend')
    const problem = await platform.refused('key.add', owner, { appId, ...input })
    expect(problem).toMatchObject({ status: 400, code: 'capability.invalid_input' })
  })

  test('are not for a mini-program, nor for another publisher’s app', async () => {
    const program = await makeTeam(platform)
    const keys = [publicJwk()]
    const problem = await platform.refused('key.add', program.owner, { appId: program.appId, keys })
    expect(problem).toMatchObject({ status: 409, code: 'registry.secret_not_for_class' })
    const { appId } = await makeTeam(platform, 'backend')
    const { owner: stranger } = await makeTeam(platform, 'backend')
    for (const operation of ['key.add', 'credential.rotate']) {
      const foreign = await platform.refused(operation, stranger, {
        appId,
        ...(operation === 'key.add' ? { keys } : {}),
      })
      expect(foreign).toMatchObject({ status: 404, code: 'registry.app_not_found' })
    }
  })
})

describe('settings', () => {
  test('hold what an app is held to, and what is left out goes back', async () => {
    const { owner, appId } = await makeTeam(platform, 'backend')
    const set = (input: object) => platform.call('app.set_settings', owner, { appId, ...input })
    const both = { redirectUris: [], requirePushedRequest: true, requireDpop: true }
    expect(await set(both)).toEqual({ ...both, requirePrivateKeyJwt: false })
    expect(await platform.call('app.get_settings', owner, { appId })).toMatchObject(both)
    expect(await set({ redirectUris: [] })).toMatchObject({ requirePushedRequest: false, requireDpop: false })
  })

  test('refuse secrets only when there is a key to go on with', async () => {
    const team = await makeTeam(platform, 'backend')
    const { owner, appId } = team
    const input = { appId, redirectUris: [], requirePrivateKeyJwt: true }
    const problem = await platform.refused('app.set_settings', owner, input)
    expect(problem).toMatchObject({ status: 409, code: 'registry.key_missing' })
    await addKeys(team, [publicJwk()])
    expect(await platform.call('app.set_settings', owner, input)).toMatchObject({
      requirePrivateKeyJwt: true,
    })
  })
})
