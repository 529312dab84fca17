import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdapterDependencies, makeAdapter } from '../../../src/oauth/adapter.ts'
import { deriveOAuthKeys } from '../../../src/oauth/keys.ts'
import { makeAccessTokens } from '../../../src/oauth/token/access-token.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { boundTypes } from './world.ts'

let database: TestDatabase
let deps: AdapterDependencies
let nowMs = Date.parse('2026-01-01T00:00:00Z')

beforeAll(async () => {
  const clock = { nowMs: () => nowMs }
  database = await openTestDatabase({ clock })
  const { queries } = database.db
  const keys = deriveOAuthKeys('a secret key for tests that has enough characters')
  deps = {
    ...{ queries, keys, clock, resource: 'https://open.example.com/v1', placeholderSecret: 'placeholder' },
    accessTokens: makeAccessTokens({ queries, keys, boundTypes, clock }),
    supportedScopes: () => [],
    boundTypes,
  }
})
afterAll(() => database.close())

describe('a state of the library', () => {
  test('is found by its id until it expires, and by nothing else', async () => {
    const sessions = makeAdapter('Session', deps)
    await sessions.upsert('the-id', { uid: 'the-uid', accountId: 'per_1', kind: 'Session' }, 60)
    expect(await sessions.find('the-id')).toMatchObject({ jti: 'the-id', uid: 'the-uid', accountId: 'per_1' })
    expect(await sessions.findByUid('the-uid')).toMatchObject({ accountId: 'per_1' })
    expect(await makeAdapter('Interaction', deps).find('the-id')).toBeUndefined()
    const [row] = await database.db.queries.oauthState.findMany({ where: { uid: 'the-uid' } })
    expect(await sessions.find(row?.hash ?? '')).toBeUndefined()
    nowMs += 60_000
    expect(await sessions.find('the-id')).toBeUndefined()
    expect(await sessions.findByUid('the-uid')).toBeUndefined()
  })

  test('changes in place and goes when it is destroyed', async () => {
    const sessions = makeAdapter('Session', deps)
    await sessions.upsert('other', { uid: 'u', kind: 'Session' }, 60)
    await sessions.upsert('other', { uid: 'u', accountId: 'per_2', kind: 'Session' }, 60)
    expect(await sessions.find('other')).toMatchObject({ accountId: 'per_2' })
    await sessions.destroy('other')
    expect(await sessions.find('other')).toBeUndefined()
  })
})

test('what a model does not have is refused loudly', async () => {
  const grants = makeAdapter('Grant', deps)
  await expect(grants.findByUserCode('x')).rejects.toThrow('invariant broken')
  await expect(grants.consume('x')).rejects.toThrow('invariant broken')
})
