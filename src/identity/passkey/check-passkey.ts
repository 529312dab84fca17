import { type Clock, limits, type Queries, type Random, type Transaction } from '../../kernel/index.ts'
import type { SignInKeys } from '../sign-in/keys.ts'
import { countAttempt, forgetAttempts } from '../sign-in/store.ts'
import { attemptsKey, before, waitMsOf } from '../sign-in/throttle.ts'
import { type OpenedStep, openStep, sealStep } from '../step/step.ts'
import { spendStep } from '../step/store.ts'
import type { AssertedCredential } from './credential.ts'
import { webAuthn } from './library.ts'
import { type RelyingParty, relyingPartyOf } from './relying-party.ts'
import { type CredentialRow, findCredential, recordPasskeyUse } from './store.ts'

export interface PasskeyCheckDependencies {
  readonly queries: Queries
  readonly clock: Clock
  readonly keys: SignInKeys
  readonly publicUrl: string
}

export interface PasskeyQuestion {
  /** PublicKeyCredentialRequestOptionsJSON (WebAuthn §5.1.9) for navigator.credentials.get(). */
  readonly options: unknown
  /** To be sent back with the browser's answer. */
  readonly challenge: string
}

/** The question to a browser for any passkey it has for us; null where there can be none. `browser`: its cookie. */
export function askForPasskey(
  { keys, clock, random, publicUrl }: Omit<PasskeyCheckDependencies, 'queries'> & { readonly random: Random },
  browser: string,
): PasskeyQuestion | null {
  const party = relyingPartyOf(publicUrl)
  if (party === null) return null
  const challenge = Buffer.from(random.bytes(32)).toString('base64url')
  const timeout = limits.passkeyChallengeMs
  const step = { kind: 'passkey-sign-in', data: { challenge }, boundTo: browser } as const
  return {
    // No list of credentials: who somebody is, only their own authenticator says.
    options: { challenge, rpId: party.id, timeout, userVerification: 'required' },
    challenge: sealStep(keys.steps, step, clock.nowMs() + timeout),
  }
}

export interface PasskeyAnswer {
  /** Of the question. */
  readonly challenge: string
  readonly credential: AssertedCredential
  /** The cookie of the browser that answers. */
  readonly browser: string
  readonly address: string
}

/** A right answer, not used up yet. */
export interface PasskeyProof {
  readonly kind: 'right'
  readonly personId: string
  readonly credentialId: string
  readonly counter: number
  readonly step: OpenedStep<'passkey-sign-in'>
}

export type PasskeyOutcome =
  | PasskeyProof
  /** The question is of another browser, or was asked too long ago. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'refused' }

async function verify(
  party: RelyingParty,
  known: CredentialRow,
  challenge: string,
  credential: AssertedCredential,
): Promise<number | null> {
  const { id, clientDataJSON, authenticatorData, signature, userHandle } = credential
  const { verifyAuthenticationResponse, decodeClientDataJSON } = await webAuthn()
  // No page of ours can be framed, so no honest answer comes out of a frame.
  if (decodeClientDataJSON(clientDataJSON).crossOrigin === true) return null
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: {
      id,
      rawId: id,
      type: 'public-key',
      response: { clientDataJSON, authenticatorData, signature, userHandle },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
    credential: {
      id,
      publicKey: Uint8Array.from(Buffer.from(known.public_key, 'base64url')),
      counter: Number(known.counter),
    },
  })
  return verified ? authenticationInfo.newCounter : null
}

/**
 * Checks a browser's answer. An answer cannot be guessed; the attempts are counted per credential and address because
 * each costs a signature to verify.
 */
export async function checkPasskey(
  deps: PasskeyCheckDependencies,
  { challenge, credential, browser, address }: PasskeyAnswer,
): Promise<PasskeyOutcome> {
  const { queries, clock, keys, publicUrl } = deps
  const party = relyingPartyOf(publicUrl)
  const nowMs = clock.nowMs()
  const step = openStep(keys.steps, challenge, { kind: 'passkey-sign-in', boundTo: browser, nowMs })
  if (step === null || party === null) return { kind: 'expired' }
  const key = attemptsKey({ purpose: 'passkey', account: credential.id, address })
  if (waitMsOf(before(await countAttempt(queries, key, nowMs)), nowMs) > 0) return { kind: 'refused' }
  const known = await findCredential(queries, credential.id)
  // WebAuthn §7.2 step 6: "verify that response.userHandle is present" and that this account has the credential.
  if (known === null || Buffer.from(credential.userHandle, 'base64url').toString() !== known.person_id)
    return { kind: 'refused' }
  // The library throws for everything that is not as the standard says.
  const counter = await verify(party, known, step.data.challenge, credential).catch(() => null)
  if (counter === null) return { kind: 'refused' }
  await forgetAttempts(queries, key)
  return { kind: 'right', personId: known.person_id, credentialId: credential.id, counter, step }
}

/** Uses a right answer up; false when the same question was answered before, or the signature counter went back. */
export async function spendPasskeyProof(
  tx: Transaction,
  proof: PasskeyProof,
  nowMs: number,
): Promise<boolean> {
  const { personId, credentialId, counter, step } = proof
  if (!(await spendStep(tx, step, nowMs))) return false
  return recordPasskeyUse(tx, personId, { credentialId, counter, nowMs })
}
