import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test } from 'vitest'
import { readPublicKey, thumbprintOf } from '../../../src/registry/credential/public-key.ts'

type Jwk = Record<string, unknown>

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicJwk = (pair: { publicKey: { export(o: { format: 'jwk' }): object } }): Jwk => ({
  ...pair.publicKey.export({ format: 'jwk' }),
})

describe('a public key', () => {
  test.each([
    ['P-256', publicJwk(ec), 'ES256'],
    ['Ed25519', publicJwk(ed), undefined],
    ['RSA', publicJwk(rsa), undefined],
  ])('of %s is taken, named by its thumbprint', async (_what, jwk, alg) => {
    const key = readPublicKey(jwk)
    const kid = await calculateJwkThumbprint(jwk)
    expect(key).toEqual({ ...jwk, use: 'sig', kid, ...(alg === undefined ? {} : { alg }) })
    expect('kty' in key && thumbprintOf(key)).toBe(kid)
  })

  test('keeps the name and algorithm it comes with, and nothing that nobody knows', () => {
    const jwk = {
      ...publicJwk(rsa),
      kid: 'ci-2026',
      alg: 'PS256',
      use: 'sig',
      key_ops: ['verify'],
      x5c: ['x'],
    }
    expect(readPublicKey(jwk)).toEqual({ ...publicJwk(rsa), kid: 'ci-2026', alg: 'PS256', use: 'sig' })
  })
})

describe('is not taken:', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const x25519 = generateKeyPairSync('x25519')
  const { x, ...withoutX } = publicJwk(ec)
  test.each<[string, Jwk, string, string]>([
    ['a private EC key', ec.privateKey.export({ format: 'jwk' }) as Jwk, 'd', 'private_key'],
    ['a private RSA key', rsa.privateKey.export({ format: 'jwk' }) as Jwk, 'd', 'private_key'],
    ['a private part alone', { ...publicJwk(rsa), dp: 'AQ' }, 'dp', 'private_key'],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }, 'k', 'private_key'],
    ['a symmetric key without its value', { kty: 'oct' }, 'kty', 'key_type'],
    ['another curve', publicJwk(p384), 'kty', 'key_type'],
    ['a key for encryption', publicJwk(x25519), 'kty', 'key_type'],
    ['nothing', {}, 'kty', 'key_type'],
    ['a point that is not on the curve', { ...publicJwk(ec), y: x }, '', 'not_a_key'],
    ['a point without x', withoutX, '', 'not_a_key'],
    ['a modulus that is no text', { ...publicJwk(rsa), n: 7 }, 'n', 'key_size'],
    [
      'an exponent under which everything is its own signature',
      { ...publicJwk(rsa), e: 'AQ' },
      'e',
      'key_exponent',
    ],
    ['too short an RSA key', publicJwk(small), 'n', 'key_size'],
    ['a use other than signatures', { ...publicJwk(ec), use: 'enc' }, 'use', 'key_use'],
    ['operations without verifying', { ...publicJwk(ec), key_ops: ['sign'] }, 'key_ops', 'key_use'],
    ['alg none', { ...publicJwk(ec), alg: 'none' }, 'alg', 'key_algorithm'],
    ['a symmetric alg on an RSA key', { ...publicJwk(rsa), alg: 'HS256' }, 'alg', 'key_algorithm'],
    ['an alg of another family', { ...publicJwk(ec), alg: 'RS256' }, 'alg', 'key_algorithm'],
    ['an empty name', { ...publicJwk(ec), kid: '' }, 'kid', 'key_id'],
    ['a name that breaks lines', { ...publicJwk(ec), kid: 'a\nb' }, 'kid', 'key_id'],
    ['a name that is no text', { ...publicJwk(ec), kid: 1 }, 'kid', 'key_id'],
  ])('%s', (_what, jwk, member, code) => {
    expect(readPublicKey(jwk)).toMatchObject({ member, code })
  })
})
