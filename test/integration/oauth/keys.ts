import * as oauth from 'oauth4webapi'
import { newId, systemRandom, toDate } from '../../../src/kernel/index.ts'
import { type AppOptions, addApp, type TestApp, type World } from './world.ts'

/** An app that proves itself by private_key_jwt, beside the secret it was made with. */
export interface KeyedApp extends TestApp {
  readonly credentialId: string
  readonly kid: string
  readonly key: CryptoKeyPair
}

/** Gives an app a key, as the registry stores it. */
export async function addKey(
  world: World,
  appId: string,
  { alg = 'ES256', kid = 'one' }: { readonly alg?: string; readonly kid?: string } = {},
): Promise<{ readonly credentialId: string; readonly key: CryptoKeyPair }> {
  const key = await oauth.generateKeyPair(alg, { extractable: true })
  const { key_ops: _ops, ext: _ext, ...jwk } = await crypto.subtle.exportKey('jwk', key.publicKey)
  const credentialId = newId('credential', { clock: world.clock, random: systemRandom })
  await world.database.db.queries.credential.create({
    data: {
      ...{ id: credentialId, appId, publisherId: 'pub_any', kind: 'key', hint: 'abcd', createdBy: 'per_any' },
      publicJwk: { ...jwk, alg, kid, use: 'sig' } as object,
      createdAt: toDate(world.clock.nowMs()),
    },
  })
  return { credentialId, key }
}

export async function addKeyedApp(world: World, options: AppOptions = {}, alg = 'ES256'): Promise<KeyedApp> {
  const app = await addApp(world, options)
  const { credentialId, key } = await addKey(world, app.appId, { alg })
  const auth = oauth.PrivateKeyJwt({ key: key.privateKey, kid: 'one' })
  return { ...app, auth, credentialId, kid: 'one', key }
}

/** What an app is held to besides its manifest. */
export async function setSettings(
  world: World,
  appId: string,
  settings: { requirePushedRequest?: boolean; requireDpop?: boolean; requirePrivateKeyJwt?: boolean },
): Promise<void> {
  const columns = { ...settings, redirectUris: [], updatedAt: toDate(world.clock.nowMs()) }
  await world.database.db.queries.appSetting.upsert({
    where: { appId },
    create: { appId, ...columns },
    update: columns,
  })
}
