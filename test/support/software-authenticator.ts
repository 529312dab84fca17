import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** An authenticator and the browser around it, as WebAuthn Level 3 describes them, written without our library. */
export interface SoftwareAuthenticator {
  /** navigator.credentials.create() with an attestation of the format "none". */
  create(options: unknown, tweaks?: Tweaks): MadeCredential
  /** navigator.credentials.get() with the newest credential. */
  get(options: unknown, tweaks?: Tweaks): AssertedCredential
}

/** What a hostile browser, page or device would do otherwise. */
export interface Tweaks {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  readonly crossOrigin?: boolean
  /** Default: one more than before. */
  readonly counter?: number
  readonly userVerified?: boolean
  readonly userHandle?: string
  /** Signs with a key that is not the credential's. */
  readonly otherKey?: boolean
  /** A statement of the format "packed", signed by the new key itself. */
  readonly selfAttested?: boolean
  readonly attestation?: { readonly fmt: string; readonly attStmt: CborMap }
}

export interface MadeCredential {
  readonly id: string
  readonly clientDataJSON: string
  readonly attestationObject: string
}

export interface AssertedCredential {
  readonly id: string
  readonly clientDataJSON: string
  readonly authenticatorData: string
  readonly signature: string
  readonly userHandle: string
}

type CborValue = number | string | Uint8Array | readonly CborValue[] | CborMap
interface CborMap extends ReadonlyMap<number | string, CborValue> {}

// RFC 8949 §3: three bits of type, then the argument in as few bytes as hold it.
function head(type: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(type << 5) | argument])
  if (argument < 256) return Buffer.from([(type << 5) | 24, argument])
  const bytes = Buffer.from([(type << 5) | 25, 0, 0])
  bytes.writeUInt16BE(argument, 1)
  return bytes
}

function cbor(value: CborValue): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])])
  const items = value as readonly CborValue[]
  return Buffer.concat([head(4, items.length), ...items.map(cbor)])
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()
const base64url = (data: string | Uint8Array) => Buffer.from(data).toString('base64url')

interface Credential {
  readonly id: Buffer
  readonly privateKey: KeyObject
  readonly cosePublicKey: Buffer
  readonly userHandle: string
}

function makeCredential(userHandle: string): Credential {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  // RFC 9053 §7.1.1: kty EC2, alg ES256, crv P-256, x, y.
  const cosePublicKey = cbor(
    new Map<number, CborValue>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  )
  return { id: randomBytes(32), privateKey, cosePublicKey, userHandle }
}

function clientData(type: string, challenge: string, origin: string, tweaks: Tweaks): Buffer {
  const { crossOrigin = false } = tweaks
  return Buffer.from(
    JSON.stringify({
      type: tweaks.type ?? type,
      challenge: tweaks.challenge ?? challenge,
      origin: tweaks.origin ?? origin,
      crossOrigin,
    }),
  )
}

// WebAuthn §6.1: user present 0x01, user verified 0x04, attested credential data 0x40.
function authenticatorData(rpId: string, counter: number, flags: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(flags)
  bytes.writeUInt32BE(counter, 1)
  return Buffer.concat([sha256(rpId), bytes])
}

/** A device with nothing on it, in a browser at `origin`. `counts`: whether it has a signature counter. */
export function makeSoftwareAuthenticator(origin: string, counts = true): SoftwareAuthenticator {
  const credentials: Credential[] = []
  let counter = 0
  const next = ({ counter: asked }: Tweaks) => {
    counter = asked ?? (counts ? counter + 1 : 0)
    return counter
  }
  const flagsOf = ({ userVerified = true }: Tweaks) => 0x01 | (userVerified ? 0x04 : 0)

  return {
    create(given, tweaks = {}) {
      const options = given as {
        readonly challenge: string
        readonly rp: { readonly id: string }
        readonly user: { readonly id: string }
      }
      const credential = makeCredential(options.user.id)
      credentials.push(credential)
      const { id, cosePublicKey } = credential
      const idLength = Buffer.alloc(2)
      idLength.writeUInt16BE(id.length)
      const authData = Buffer.concat([
        authenticatorData(tweaks.rpId ?? options.rp.id, next(tweaks), flagsOf(tweaks) | 0x40),
        ...[Buffer.alloc(16), idLength, id, cosePublicKey],
      ])
      const client = clientData('webauthn.create', options.challenge, origin, tweaks)
      // WebAuthn §8.2: "sig" is over authenticatorData and the hash of the client data.
      const signature = () => sign('sha256', Buffer.concat([authData, sha256(client)]), credential.privateKey)
      const self = () => ({
        fmt: 'packed',
        attStmt: new Map<string, CborValue>([
          ['alg', -7],
          ['sig', signature()],
        ]),
      })
      const none = { fmt: 'none', attStmt: new Map() }
      const { fmt, attStmt } = tweaks.attestation ?? (tweaks.selfAttested === true ? self() : none)
      const attestationObject = cbor(
        new Map<string, CborValue>([
          ['fmt', fmt],
          ['attStmt', attStmt],
          ['authData', authData],
        ]),
      )
      return {
        id: base64url(id),
        clientDataJSON: base64url(client),
        attestationObject: base64url(attestationObject),
      }
    },
    get(given, tweaks = {}) {
      const options = given as { readonly challenge: string; readonly rpId: string }
      const credential = credentials.at(-1)
      if (credential === undefined) throw new Error('there is no credential on this device')
      const client = clientData('webauthn.get', options.challenge, origin, tweaks)
      const authData = authenticatorData(tweaks.rpId ?? options.rpId, next(tweaks), flagsOf(tweaks))
      const key = tweaks.otherKey === true ? makeCredential('').privateKey : credential.privateKey
      return {
        id: base64url(credential.id),
        clientDataJSON: base64url(client),
        authenticatorData: base64url(authData),
        signature: base64url(sign('sha256', Buffer.concat([authData, sha256(client)]), key)),
        userHandle: tweaks.userHandle ?? credential.userHandle,
      }
    },
  }
}
