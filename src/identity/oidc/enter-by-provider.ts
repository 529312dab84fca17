import { type IdSource, newId, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { normalEmail } from '../person/person.ts'
import { findVouchedPerson, isEmailTaken } from '../person/store.ts'
import { followGroups } from './follow-groups.ts'
import type { ProviderIdentity } from './provider-client.ts'
import type { ProviderSettings } from './settings.ts'
import {
  findProviderPerson,
  insertProviderPerson,
  insertProviderSignIn,
  touchProviderSignIn,
} from './store.ts'

/** sign-in: as whoever the provider's account leads to. new: also when the address belongs to another account here. */
export type ProviderMode = 'sign-in' | 'new'

export type ProviderArrival =
  | { readonly kind: 'person'; readonly personId: string }
  /** Somebody here has the address, and nothing says that it is the same person. */
  | { readonly kind: 'address_taken' }
  | { readonly kind: 'refused' }

const nameLengthMax = 100

/** A name as our own schema allows it. */
function nameOf({ name, email }: ProviderIdentity): string {
  const [usable = 'New member'] = [name, email?.split('@')[0]]
    .map((text) => (text ?? '').replaceAll(/[\p{Cc}\u2028-\u202E\u2066-\u2069]/gu, ' ').trim())
    .filter((text) => text !== '')
  return [...usable].slice(0, nameLengthMax).join('')
}

async function createPerson(
  tx: Transaction,
  ids: IdSource,
  identity: ProviderIdentity,
  email: string | null,
) {
  const personId = newId('person', ids)
  const locale = identity.locale?.toLowerCase().startsWith('zh') === true ? 'zh-CN' : 'en'
  const person = { personId, email, displayName: nameOf(identity), locale, nowMs: ids.clock.nowMs() }
  // Taken a moment ago: the sign-in works without it.
  if (!(await insertProviderPerson(tx, person))) await insertProviderPerson(tx, { ...person, email: null })
  return personId
}

/**
 * Whom a subject that has never been here belongs to. An address alone proves nothing: a stranger can register the
 * address of a shop's owner before the owner does, and whoever is then linked to that account shares it with the
 * stranger. So it leads only to somebody whose address the host has vouched for, and only where the operator wants it.
 */
async function admit(
  tx: Transaction,
  ids: IdSource,
  { identity, linkByEmail, mode }: Arriving,
): Promise<ProviderArrival> {
  const email = identity.email === null ? null : normalEmail(identity.email)
  if (email === null || !(await isEmailTaken(tx, email)))
    return { kind: 'person', personId: await createPerson(tx, ids, identity, email) }
  if (mode === 'new') return { kind: 'person', personId: await createPerson(tx, ids, identity, null) }
  const vouched = linkByEmail ? await findVouchedPerson(tx, email) : null
  return vouched === null ? { kind: 'address_taken' } : { kind: 'person', personId: vouched.id }
}

interface Arriving {
  readonly identity: ProviderIdentity
  readonly linkByEmail: boolean
  readonly mode: ProviderMode
}

/** Finds, links or makes the person that the provider vouches for, with the roles of their groups. */
export async function enterByProvider(
  tx: Transaction,
  ids: IdSource,
  {
    identity,
    settings,
    mode,
  }: {
    readonly identity: ProviderIdentity
    readonly settings: ProviderSettings
    readonly mode: ProviderMode
  },
): Promise<ProviderArrival> {
  const { issuer, subject, groups } = identity
  const nowMs = ids.clock.nowMs()
  const known = await findProviderPerson(tx, { issuer, subject })
  if (known?.disabled === true) return { kind: 'refused' }
  const arrival: ProviderArrival =
    known === null
      ? await admit(tx, ids, { identity, linkByEmail: settings.linkByEmail, mode })
      : { kind: 'person', personId: known.person_id }
  if (arrival.kind !== 'person') return arrival
  const { personId } = arrival
  if (known === null) {
    const id = newId('signIn', ids)
    // Two first sign-ins at once: the second one finds the first one's person when it is tried again.
    if (!(await insertProviderSignIn(tx, personId, { id, issuer, subject, nowMs })))
      throw IdentityErrors.provider_account_taken()
  }
  await touchProviderSignIn(tx, personId, { issuer, subject, nowMs })
  await followGroups(tx, ids.clock, { personId, table: settings.groupRoles, groups })
  return arrival
}

/**
 * Lets somebody who is signed in also sign in by the provider from now on.
 * @throws identity.provider_account_taken
 */
export async function linkProvider(
  tx: Transaction,
  ids: IdSource,
  {
    personId,
    identity,
    settings,
  }: {
    readonly personId: string
    readonly identity: ProviderIdentity
    readonly settings: ProviderSettings
  },
): Promise<void> {
  const { issuer, subject, groups } = identity
  const row = { id: newId('signIn', ids), issuer, subject, nowMs: ids.clock.nowMs() }
  if (!(await insertProviderSignIn(tx, personId, row))) {
    const known = await findProviderPerson(tx, { issuer, subject })
    if (known?.person_id !== personId) throw IdentityErrors.provider_account_taken()
  }
  await followGroups(tx, ids.clock, { personId, table: settings.groupRoles, groups })
}
