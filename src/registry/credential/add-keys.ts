import { type IdSource, type InputProblem, limits, newId, type Transaction } from '../../kernel/index.ts'
import { mayHoldSecret } from '../app.ts'
import { RegistryErrors } from '../errors.ts'
import { lockOwnApp } from '../store.ts'
import type { CredentialView } from './credential.ts'
import {
  type JsonWebKey,
  type KeyProblem,
  type PublicKey,
  readPublicKey,
  thumbprintOf,
} from './public-key.ts'
import { insertCredential, listLiveCredentials, type NewCredential } from './store.ts'

export interface AddKeys {
  readonly publisherIds: readonly string[]
  readonly appId: string
  /** The members of a JWK Set (RFC 7517 §5). */
  readonly keys: readonly JsonWebKey[]
  readonly personId: string
}

function isProblem(read: PublicKey | KeyProblem): read is KeyProblem {
  return 'member' in read
}

function toInputProblem(index: number, { member, code, message }: KeyProblem): InputProblem {
  return { pointer: `/keys/${index}${member === '' ? '' : `/${member}`}`, code, message }
}

/** All keys, or every problem of every key at once. */
function readKeys(keys: readonly JsonWebKey[]): readonly PublicKey[] {
  const read = keys.map(readPublicKey)
  const errors = read.flatMap((one, index) => (isProblem(one) ? [toInputProblem(index, one)] : []))
  if (errors.length > 0) throw RegistryErrors.key_refused(undefined, { errors })
  return read.filter((one): one is PublicKey => !isProblem(one))
}

/** Places of keys that another one, live or sent with them, is already or is called like. */
function repeated(keys: readonly PublicKey[], live: readonly PublicKey[]): readonly InputProblem[] {
  const taken = new Set(live.flatMap((key) => [key.kid, thumbprintOf(key)]))
  return keys.flatMap((key, index) => {
    const names = [key.kid, thumbprintOf(key)]
    const isTaken = names.some((name) => taken.has(name))
    for (const name of names) taken.add(name)
    if (!isTaken) return []
    return [toInputProblem(index, { member: 'kid', code: 'key_repeated', message: 'is there already' })]
  })
}

/**
 * Lets the app prove itself by `private_key_jwt` with these keys too; all of them or none.
 * @throws registry.app_not_found, registry.secret_not_for_class, registry.key_refused, registry.too_many_keys
 */
export async function addKeys(
  tx: Transaction,
  { publisherIds, appId, keys: sent, personId }: AddKeys,
  ids: IdSource,
): Promise<readonly CredentialView[]> {
  const app = await lockOwnApp(tx, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  if (!mayHoldSecret(app.appClass)) throw RegistryErrors.secret_not_for_class()
  const keys = readKeys(sent)
  const nowMs = ids.clock.nowMs()
  const live = (await listLiveCredentials(tx, app.id, nowMs)).flatMap(({ publicKey }) => publicKey ?? [])
  const errors = repeated(keys, live)
  if (errors.length > 0) throw RegistryErrors.key_refused(undefined, { errors })
  if (live.length + keys.length > limits.liveKeysMax) throw RegistryErrors.too_many_keys()
  const credentials = keys.map(
    (publicKey): NewCredential => ({
      id: newId('credential', ids),
      appId: app.id,
      publisherId: app.publisherId,
      kind: 'key',
      secretHash: null,
      hint: thumbprintOf(publicKey).slice(-4),
      publicKey,
      createdBy: personId,
      createdAtMs: nowMs,
      expiresAtMs: null,
      lastUsedAtMs: null,
    }),
  )
  for (const credential of credentials) await insertCredential(tx, credential)
  return credentials
}
