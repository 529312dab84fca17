import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { limits } from '../../kernel/index.ts'

/** The public members of a JSON Web Key (RFC 7517) with which an app signs its assertions, and nothing else. */
export interface PublicKey {
  readonly kty: 'EC' | 'OKP' | 'RSA'
  readonly use: 'sig'
  /** The developer's own name for it, or else its RFC 7638 thumbprint: what an assertion's header says. */
  readonly kid: string
  /** Absent on an RSA key that may sign with RS256 and PS256. */
  readonly alg?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

/** Why a key is not taken; `member` is where in the JWK. */
export interface KeyProblem {
  readonly member: string
  readonly code: string
  readonly message: string
}

export type JsonWebKey = Readonly<Record<string, unknown>>

interface Family {
  readonly kty: PublicKey['kty']
  /** Null: told apart by size, not by curve. */
  readonly crv: string | null
  readonly algorithms: readonly [string, ...string[]]
  /** In the order of RFC 7638 §3.2, which is the alphabet's. */
  readonly required: readonly ('crv' | 'e' | 'kty' | 'n' | 'x' | 'y')[]
}

// What the authorization server verifies. No symmetric algorithm: a key that both sides know proves nothing to a third.
const families: readonly Family[] = [
  { kty: 'EC', crv: 'P-256', algorithms: ['ES256'], required: ['crv', 'kty', 'x', 'y'] },
  { kty: 'OKP', crv: 'Ed25519', algorithms: ['EdDSA', 'Ed25519'], required: ['crv', 'kty', 'x'] },
  { kty: 'RSA', crv: null, algorithms: ['RS256', 'PS256'], required: ['e', 'kty', 'n'] },
]

// RFC 7518 §6.2.2, §6.3.2 and §6.4.1; RFC 8037 §2.
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const kidForm = /^[\x21-\x7e]{1,128}$/

function problem(member: string, code: string, message: string): KeyProblem {
  return { member, code, message }
}

function familyOf(jwk: JsonWebKey): Family | null {
  return families.find(({ kty, crv }) => kty === jwk['kty'] && (crv === null || crv === jwk['crv'])) ?? null
}

function strengthProblem({ asymmetricKeyDetails = {} }: KeyObject): KeyProblem | null {
  const { modulusLength: bits, publicExponent } = asymmetricKeyDetails
  if (bits === undefined || publicExponent === undefined) return null
  if (bits < limits.rsaKeyBitsMin || bits > limits.rsaKeyBitsMax)
    return problem('n', 'key_size', `must have ${limits.rsaKeyBitsMin} to ${limits.rsaKeyBitsMax} bits`)
  // FIPS 186-5 §5.4: the exponent is odd and greater than 2^16.
  return publicExponent > 65_536n && publicExponent % 2n === 1n
    ? null
    : problem('e', 'key_exponent', 'must be odd and at least 65537, which is AQAB')
}

/** The key itself, when its curve, point or modulus is one. */
function openKey(jwk: JsonWebKey, { required }: Family): KeyObject | null {
  const members = Object.fromEntries(required.map((name) => [name, String(jwk[name] ?? '')]))
  try {
    return createPublicKey({ key: members, format: 'jwk' })
  } catch {
    return null
  }
}

function purposeProblem(jwk: JsonWebKey, { algorithms }: Family): KeyProblem | null {
  const { use, alg, kid, key_ops: operations } = jwk
  if (use !== undefined && use !== 'sig') return problem('use', 'key_use', 'must be "sig"')
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return problem('key_ops', 'key_use', 'must hold "verify"')
  if (alg !== undefined && !algorithms.includes(String(alg)))
    return problem('alg', 'key_algorithm', `must be ${algorithms.join(' or ')}`)
  if (kid !== undefined && !(typeof kid === 'string' && kidForm.test(kid)))
    return problem('kid', 'key_id', 'must be 1 to 128 printable ASCII characters')
  return null
}

/** RFC 7638: SHA-256 over the required members alone, so that two forms of one key have one thumbprint. */
export function thumbprintOf(key: PublicKey): string {
  const required = families.find(({ kty }) => kty === key.kty)?.required ?? []
  const members = Object.fromEntries(required.map((name) => [name, key[name]]))
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}

/**
 * The key to keep of a JWK that a developer sent, or what is wrong with it. A private key is refused as a whole: it has
 * left the place where it was secret.
 */
export function readPublicKey(jwk: JsonWebKey): PublicKey | KeyProblem {
  const secret = privateMembers.find((member) => Object.hasOwn(jwk, member))
  if (secret !== undefined)
    return problem(secret, 'private_key', 'belongs to a private key; make a new pair and send its public key')
  const family = familyOf(jwk)
  if (family === null) return problem('kty', 'key_type', 'must be EC P-256, OKP Ed25519 or RSA')
  const opened = openKey(jwk, family)
  if (opened === null) return problem('', 'not_a_key', 'is no usable public key')
  const wrong = strengthProblem(opened) ?? purposeProblem(jwk, family)
  if (wrong !== null) return wrong
  // As the system writes it: one form per key.
  const exported = opened.export({ format: 'jwk' })
  const members = Object.fromEntries(family.required.map((name) => [name, exported[name]]))
  const [only, ...others] = family.algorithms
  // RFC 9864 gave EdDSA with Ed25519 a second name, and RSA signs in two ways: without alg the key may say either.
  const alg = typeof jwk['alg'] === 'string' ? jwk['alg'] : others.length === 0 ? only : undefined
  const key: PublicKey = { ...members, kty: family.kty, use: 'sig', kid: '', ...(alg && { alg }) }
  return { ...key, kid: typeof jwk['kid'] === 'string' ? jwk['kid'] : thumbprintOf(key) }
}
