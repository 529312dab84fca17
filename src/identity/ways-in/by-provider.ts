import type { PersonCaller } from '../../capability/index.ts'
import { limits, StoaError } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { enterByProvider, linkProvider, type ProviderArrival } from '../oidc/enter-by-provider.ts'
import type { ProviderIdentity, ProviderQuestion } from '../oidc/provider-client.ts'
import { hasSecondFactor } from '../oidc/store.ts'
import { confirmPerson } from '../password/confirm-person.ts'
import { type OpenedStep, openStep, sealStep } from '../step/step.ts'
import { spendStep } from '../step/store.ts'
import { type Entry, enter, halfway, type Provider, type Visitor, type WaysInDependencies } from './enter.ts'

/** What the browser is sent to the provider for. */
export type ProviderAsking =
  /** new: as a new account, though the address belongs to another one here. */
  | { readonly mode: 'sign-in' | 'new'; readonly returnTo: string }
  /** To sign in by the provider from now on as well. */
  | {
      readonly mode: 'link'
      readonly returnTo: string
      readonly person: PersonCaller
      readonly password: string | undefined
    }

export interface ProviderReturn {
  /** What the browser kept. */
  readonly step: string
  /** What the provider sent with it. */
  readonly parameters: URLSearchParams
  /** Who is signed in in this browser. */
  readonly person: PersonCaller | null
}

export interface ProviderEntry {
  readonly entry:
    | Entry
    /** An account here has the address, and nothing says that it is the same person's. */
    | { readonly kind: 'address_taken' }
    | { readonly kind: 'linked' }
  /** Path of our own to go on with. */
  readonly returnTo: string
}

function providerOf({ provider }: WaysInDependencies): Provider {
  if (provider === null) throw IdentityErrors.provider_not_configured()
  return provider
}

async function whomToLink(
  { db, clock }: WaysInDependencies,
  { address }: Visitor,
  asking: ProviderAsking,
): Promise<string | null> {
  if (asking.mode !== 'link') return null
  const { person: caller, password } = asking
  await confirmPerson({ queries: db.queries, clock }, { caller, password, address })
  return caller.personId
}

/** See `WaysIn.askProvider`. */
export async function askProvider(
  deps: WaysInDependencies,
  visitor: Visitor,
  asking: ProviderAsking,
): Promise<{ readonly location: string; readonly step: string }> {
  const { clock, random, keys, log } = deps
  const { client } = providerOf(deps)
  const personId = await whomToLink(deps, visitor, asking)
  const unguessable = () => Buffer.from(random.bytes(32)).toString('base64url')
  const question = { state: unguessable(), nonce: unguessable(), codeVerifier: unguessable() }
  const url = await client.authorizationUrl(question).catch((error: unknown) => {
    log.warn({ err: error }, 'sign_in.provider_failed')
    throw IdentityErrors.provider_unavailable(undefined, { cause: error })
  })
  const { mode, returnTo } = asking
  const data = { ...question, mode, personId, returnTo }
  const step = { kind: 'provider', data, boundTo: visitor.browser } as const
  return { location: url.href, step: sealStep(keys.steps, step, clock.nowMs() + limits.providerSignInMs) }
}

/** Who came back; null when the provider, or whoever plays its part, did not do as it should. */
async function redeem(
  { log }: WaysInDependencies,
  { client, settings }: Provider,
  question: ProviderQuestion,
  parameters: URLSearchParams,
): Promise<ProviderIdentity | null> {
  try {
    return await client.redeem(question, parameters)
  } catch (error) {
    // What exactly, is for the operator; to a person it would say nothing, to an attacker too much.
    log.warn({ err: error, issuer: settings.issuer }, 'sign_in.provider_failed')
    return null
  }
}

async function arrive(
  { db, clock, random }: WaysInDependencies,
  { settings }: Provider,
  identity: ProviderIdentity,
  mode: 'sign-in' | 'new',
): Promise<ProviderArrival> {
  const once = () => db.tx((tx) => enterByProvider(tx, { clock, random }, { identity, settings, mode }))
  try {
    return await once()
  } catch (error) {
    // Of two first sign-ins at once the second one finds the person that the first one has made.
    if (!(error instanceof StoaError) || error.code !== IdentityErrors.provider_account_taken.code)
      throw error
    return once()
  }
}

async function link(
  { db, clock, random }: WaysInDependencies,
  { settings }: Provider,
  identity: ProviderIdentity,
  { step, person }: { readonly step: OpenedStep<'provider'>; readonly person: PersonCaller | null },
): Promise<ProviderEntry['entry']> {
  const { personId } = step.data
  // Somebody else has signed in here meanwhile.
  if (personId === null || person?.personId !== personId) return { kind: 'expired' }
  const linked = await db.tx(async (tx) => {
    if (!(await spendStep(tx, step, clock.nowMs()))) return false
    await linkProvider(tx, { clock, random }, { personId, identity, settings })
    return true
  })
  return { kind: linked ? 'linked' : 'expired' }
}

async function signIn(
  deps: WaysInDependencies,
  visitor: Visitor,
  provider: Provider,
  { step, identity }: { readonly step: OpenedStep<'provider'>; readonly identity: ProviderIdentity },
): Promise<ProviderEntry['entry']> {
  const { db, clock } = deps
  const { mode } = step.data
  if (mode === 'link') return { kind: 'expired' }
  const arrival = await arrive(deps, provider, identity, mode)
  if (arrival.kind !== 'person') return arrival
  const { personId } = arrival
  if (await hasSecondFactor(db.queries, personId))
    return halfway(deps, visitor, { personId, passwordMark: null })
  return enter(deps, visitor, personId, (tx) => spendStep(tx, step, clock.nowMs()))
}

/** See `WaysIn.byProvider`. */
export async function byProvider(
  deps: WaysInDependencies,
  visitor: Visitor,
  given: ProviderReturn,
): Promise<ProviderEntry> {
  const provider = providerOf(deps)
  const expected = { kind: 'provider', boundTo: visitor.browser, nowMs: deps.clock.nowMs() } as const
  const step = openStep(deps.keys.steps, given.step, expected)
  if (step === null) return { entry: { kind: 'expired' }, returnTo: '/' }
  const { mode, returnTo } = step.data
  const identity = await redeem(deps, provider, step.data, given.parameters)
  if (identity === null) return { entry: { kind: 'refused' }, returnTo }
  const entry =
    mode === 'link'
      ? await link(deps, provider, identity, { step, person: given.person })
      : await signIn(deps, visitor, provider, { step, identity })
  return { entry, returnTo }
}
