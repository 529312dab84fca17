import { createHash, randomUUID } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { Actor, Reply } from './actor.ts'
import type { App, World } from './world.ts'

export interface Key {
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
  readonly privateJwk: JWK
  readonly thumbprint: string
}

export async function makeKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  const thumbprint = await calculateJwkThumbprint(publicJwk)
  return { privateKey, publicJwk, privateJwk: await exportJWK(privateKey), thumbprint }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT that no library would make: with any header, and any signature. */
export function forge(header: object, payload: object, signature = ''): string {
  return `${encode(header)}.${encode(payload)}.${signature}`
}

type Changes = Readonly<Record<string, unknown>>

function without(claims: Changes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

const nowSeconds = (world: World) => Math.floor(world.at.clock.nowMs() / 1000)

export interface ProofOptions {
  readonly method?: string
  /** Path of the request. */
  readonly path?: string
  readonly accessToken?: string
  /** Claims that are other than they should be; undefined leaves one out. */
  readonly claims?: Changes
  readonly header?: Changes
  /** Signs in place of the key in the header. */
  readonly signer?: Key
}

/** A DPoP proof (RFC 9449 §4.2). */
export function makeProof(world: World, key: Key, options: ProofOptions = {}): Promise<string> {
  const {
    method = 'POST',
    path = '/oauth/token',
    accessToken,
    claims = {},
    header = {},
    signer = key,
  } = options
  const ath =
    accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }
  const standing = {
    jti: randomUUID(),
    htm: method,
    htu: `${world.issuer}${path}`,
    iat: nowSeconds(world),
    ...ath,
  }
  return new SignJWT(without({ ...standing, ...claims }))
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.publicJwk, ...header })
    .sign(signer.privateKey)
}

export interface KeyedApp extends App {
  readonly key: Key
}

/** An app whose key is registered, beside its secret. */
export async function publishKeyed(world: World, name = 'Keyed'): Promise<KeyedApp> {
  const app = await world.publish({ name })
  const key = await makeKey()
  await app.publisher.owner.api.call('POST', `/developer/v1/apps/${app.appId}/keys`, {
    keys: [key.publicJwk],
  })
  return { ...app, key }
}

/** A client assertion (RFC 7523 §2.2). */
export function makeAssertion(
  world: World,
  app: KeyedApp,
  claims: Changes = {},
  signer: Key = app.key,
): Promise<string> {
  const standing = {
    ...{ iss: app.appId, sub: app.appId, aud: world.issuer, jti: randomUUID() },
    ...{ iat: nowSeconds(world), exp: nowSeconds(world) + 60 },
  }
  return new SignJWT(without({ ...standing, ...claims }))
    .setProtectedHeader({ alg: 'ES256' })
    .sign(signer.privateKey)
}

export function assertionForm(assertion: string) {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }
}

export interface BoundTokens {
  readonly access_token: string
  readonly token_type: string
}

/** Tokens of the merchant bound to the key. */
export async function connectBound(at: Actor, key: Key): Promise<BoundTokens> {
  const code = await at.code()
  const { status, text, json } = await at.token(
    {
      ...{ grant_type: 'authorization_code', code: code.code },
      ...{ redirect_uri: code.redirectUri, code_verifier: code.codeVerifier },
    },
    code.app,
    { dpop: await makeProof(at.world, key) },
  )
  if (status !== 200) throw new Error(`no tokens but ${status}: ${text}`)
  return json as unknown as BoundTokens
}

/** A request of the API with a bound token. */
export function apiWithProof(at: Actor, token: string, proof: string, path = '/v1/orders'): Promise<Reply> {
  return at.send('GET', path, { headers: { authorization: `DPoP ${token}`, dpop: proof } })
}
