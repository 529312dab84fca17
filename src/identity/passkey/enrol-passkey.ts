import { type IdSource, limits, newId, type Queries, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import type { SignInKeys } from '../sign-in/keys.ts'
import { type OpenedStep, openStep, sealStep } from '../step/step.ts'
import { spendStep } from '../step/store.ts'
import { webAuthn } from './library.ts'
import { type RelyingParty, relyingPartyOf } from './relying-party.ts'
import { countWaysIn, deletePasskey, insertPasskey, listPasskeys, lockPerson } from './store.ts'

export interface PasskeyDependencies extends IdSource {
  readonly queries: Queries
  readonly keys: SignInKeys
  readonly publicUrl: string
}

// ES256, EdDSA, RS256: what every authenticator has one of, and every Node.js verifies.
const algorithms = [-7, -8, -257]
const challengeBytes = 32

/** The platform as a relying party. @throws identity.passkeys_unavailable */
function partyOf({ publicUrl }: Pick<PasskeyDependencies, 'publicUrl'>): RelyingParty {
  const party = relyingPartyOf(publicUrl)
  if (party === null) throw IdentityErrors.passkeys_unavailable()
  return party
}

export interface PasskeyEnrolment {
  /** PublicKeyCredentialCreationOptionsJSON (WebAuthn §5.1.8) for navigator.credentials.create(). */
  readonly options: unknown
  /** To be sent back with what the browser made. */
  readonly enrolment: string
  readonly expiresAtMs: number
}

export interface PasskeyRequest {
  readonly personId: string
  /** What the person calls it: of which device it is. */
  readonly name: string
  /** How authenticators list the account. */
  readonly account: string
  readonly displayName: string
}

/**
 * The question to a browser for a new passkey. Nothing is stored before it is answered.
 * @throws identity.too_many_passkeys, identity.passkeys_unavailable
 */
export async function beginPasskey(
  { queries, keys, clock, random, publicUrl }: PasskeyDependencies,
  { personId, name, account, displayName }: PasskeyRequest,
): Promise<PasskeyEnrolment> {
  const party = partyOf({ publicUrl })
  const known = await listPasskeys(queries, personId)
  if (known.length >= limits.passkeysMax) throw IdentityErrors.too_many_passkeys()
  const { generateRegistrationOptions } = await webAuthn()
  const options = await generateRegistrationOptions({
    rpName: party.id,
    rpID: party.id,
    userID: Uint8Array.from(Buffer.from(personId)),
    userName: account,
    userDisplayName: displayName,
    challenge: Uint8Array.from(random.bytes(challengeBytes)),
    timeout: limits.passkeyChallengeMs,
    // Which device somebody bought is none of our business.
    attestationType: 'none',
    excludeCredentials: known.map(({ identifier }) => ({ id: identifier })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  })
  const expiresAtMs = clock.nowMs() + limits.passkeyChallengeMs
  const data = { challenge: options.challenge, name }
  const step = { kind: 'passkey-registration', data, boundTo: personId } as const
  return { options, enrolment: sealStep(keys.steps, step, expiresAtMs), expiresAtMs }
}

/** What navigator.credentials.create() gave, base64url. */
export interface MadeCredential {
  readonly id: string
  readonly clientDataJSON: string
  readonly attestationObject: string
}

export interface VerifiedPasskey {
  readonly step: OpenedStep<'passkey-registration'>
  readonly credentialId: string
  readonly publicKey: string
  readonly counter: number
}

/**
 * No statement, or one signed by the new key itself: what a browser that was asked for none sends. The library would
 * judge certificates too, and fetch the revocation list that a certificate names: a request of ours past the guard.
 */
async function hasNoCertificate(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject } = await webAuthn()
  const statement = decodeAttestationObject(Uint8Array.from(Buffer.from(attestationObject, 'base64url')))
  const format = statement.get('fmt')
  return format === 'none' || (format === 'packed' && statement.get('attStmt').get('x5c') === undefined)
}

async function verify(party: RelyingParty, challenge: string, credential: MadeCredential) {
  const { id, clientDataJSON, attestationObject } = credential
  if (!(await hasNoCertificate(attestationObject))) return null
  const { verifyRegistrationResponse } = await webAuthn()
  const { registrationInfo } = await verifyRegistrationResponse({
    response: {
      id,
      rawId: id,
      type: 'public-key',
      response: { clientDataJSON, attestationObject },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms,
  })
  // The credential is stored under the id that its authenticator signed, which the browser must have named.
  return registrationInfo?.credential.id === id ? registrationInfo.credential : null
}

/**
 * Checks what a browser made of `beginPasskey`'s question.
 * @throws identity.enrolment_not_valid, identity.passkey_refused, identity.passkeys_unavailable
 */
export async function verifyPasskey(
  deps: Pick<PasskeyDependencies, 'keys' | 'clock' | 'publicUrl'>,
  input: { readonly personId: string; readonly enrolment: string; readonly credential: MadeCredential },
): Promise<VerifiedPasskey> {
  const party = partyOf(deps)
  const expected = {
    kind: 'passkey-registration',
    boundTo: input.personId,
    nowMs: deps.clock.nowMs(),
  } as const
  const step = openStep(deps.keys.steps, input.enrolment, expected)
  if (step === null) throw IdentityErrors.enrolment_not_valid()
  let made: Awaited<ReturnType<typeof verify>>
  try {
    made = await verify(party, step.data.challenge, input.credential)
  } catch (error) {
    // The library throws for everything that is not as the standard says, malformed input included.
    throw IdentityErrors.passkey_refused(undefined, { cause: error })
  }
  if (made === null) throw IdentityErrors.passkey_refused()
  const publicKey = Buffer.from(made.publicKey).toString('base64url')
  return { step, credentialId: made.id, publicKey, counter: made.counter }
}

/**
 * Stores a checked passkey; gives its id.
 * @throws identity.enrolment_not_valid (it was used), identity.passkey_exists, identity.too_many_passkeys
 */
export async function addPasskey(
  tx: Transaction,
  ids: IdSource,
  { personId, passkey }: { readonly personId: string; readonly passkey: VerifiedPasskey },
): Promise<string> {
  const { step, credentialId, publicKey, counter } = passkey
  const nowMs = ids.clock.nowMs()
  await lockPerson(tx, personId)
  if (!(await spendStep(tx, step, nowMs))) throw IdentityErrors.enrolment_not_valid()
  if ((await listPasskeys(tx, personId)).length >= limits.passkeysMax)
    throw IdentityErrors.too_many_passkeys()
  const id = newId('passkey', ids)
  const row = { id, credentialId, publicKey, counter, name: step.data.name, nowMs }
  if (!(await insertPasskey(tx, personId, row))) throw IdentityErrors.passkey_exists()
  return id
}

/** @throws identity.passkey_not_found, identity.last_way_in */
export async function removePasskey(
  tx: Transaction,
  { personId, passkeyId }: { readonly personId: string; readonly passkeyId: string },
): Promise<void> {
  await lockPerson(tx, personId)
  if (!(await deletePasskey(tx, personId, passkeyId))) throw IdentityErrors.passkey_not_found()
  if ((await countWaysIn(tx, personId)) === 0) throw IdentityErrors.last_way_in()
}
