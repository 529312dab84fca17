import { type AppCaller, type BoundTypes, meetDetails } from '../../capability/index.ts'
import { type Clock, isWellFormedToken, limits, type Queries } from '../../kernel/index.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import { type AccessRow, findAccess } from './store.ts'

export interface AccessTokens {
  /**
   * Whom this access token was given to; null when it is not one of ours or allows nothing any more. Whether whoever
   * sends it is that holder, `presentToken` tells.
   */
  holderOf(token: string): Promise<Holder | null>
  /** Forgets what this process remembers; other processes notice within `limits.accessTokenCacheMs`. */
  forget(which: Forget): void
}

export interface Holder {
  readonly caller: AppCaller
  /** Thumbprint of the key that the holder must prove to have; null: a bearer token. */
  readonly jkt: string | null
  /** Whether it was asked for with the scope openid. */
  readonly openId: boolean
}

/** Whose tokens ended: each member given must match. */
export interface Forget {
  readonly hash?: string
  readonly grantId?: string
  readonly installationId?: string
}

export interface AccessTokenDependencies {
  readonly queries: Queries
  readonly keys: OAuthKeys
  readonly boundTypes: BoundTypes
  readonly clock: Clock
}

interface Entry {
  readonly holder: Holder | null
  readonly grantId: string | null
  readonly untilMs: number
}

/** What a token allows: its own scopes and details as far as the merchant still grants them. */
function toCaller(row: AccessRow, boundTypes: BoundTypes): AppCaller {
  const { app_id: appId, installation_id: installationId, merchant_id: merchantId, epoch } = row
  const granted = new Set(row.granted ?? [])
  const installation =
    installationId === null || merchantId === null || epoch === null
      ? null
      : { appId, installationId, merchantId, grantEpoch: epoch }
  return {
    kind: 'app',
    appId,
    installation,
    scopes: new Set(installation === null ? [] : row.scopes.filter((scope) => granted.has(scope))),
    bounds: meetDetails(boundTypes, row.bounds ?? [], row.details ?? []),
    personId: row.person_id,
  }
}

function toEntry(row: AccessRow | null, askedAtMs: number, boundTypes: BoundTypes): Entry {
  if (row === null)
    return { holder: null, grantId: null, untilMs: askedAtMs + limits.accessTokenCacheNegativeMs }
  const untilMs = Math.min(askedAtMs + limits.accessTokenCacheMs, row.expires_at.getTime())
  const openId = row.scopes.includes('openid')
  const holder = { caller: toCaller(row, boundTypes), jkt: row.jkt, openId }
  return { holder, grantId: row.grant_id, untilMs }
}

function matches(hash: string, { holder, grantId }: Entry, which: Forget): boolean {
  return (
    (which.hash === undefined || which.hash === hash) &&
    (which.grantId === undefined || which.grantId === grantId) &&
    (which.installationId === undefined ||
      which.installationId === holder?.caller.installation?.installationId)
  )
}

/**
 * Access tokens as callers: checksum, then a cache of ≤ 3 s by the token's hash, then one statement. The cache's
 * lifetime counts from before the statement was sent, so that a revocation holds everywhere within it.
 */
export function makeAccessTokens(deps: AccessTokenDependencies): AccessTokens {
  const { queries, keys, boundTypes, clock } = deps
  const entries = new Map<string, Entry>()
  const reading = new Map<string, Promise<Entry>>()
  let revocations = 0

  function remember(hash: string, entry: Entry): void {
    // A Map keeps the order of insertion: the first key is the oldest.
    const oldest = entries.keys().next().value
    if (entries.size >= limits.accessTokenCacheEntriesMax && oldest !== undefined) entries.delete(oldest)
    entries.set(hash, entry)
  }

  async function read(hash: string): Promise<Entry> {
    const askedAtMs = clock.nowMs()
    const before = revocations
    const entry = toEntry(await findAccess(queries, hash, askedAtMs), askedAtMs, boundTypes)
    if (before === revocations) remember(hash, entry)
    return entry
  }

  function readOnce(hash: string): Promise<Entry> {
    const running = reading.get(hash)
    if (running !== undefined) return running
    const started = read(hash).finally(() => {
      if (reading.get(hash) === started) reading.delete(hash)
    })
    reading.set(hash, started)
    return started
  }

  async function lookUp(token: string): Promise<Entry | null> {
    if (!isWellFormedToken('accessToken', token)) return null
    const hash = hashValue(keys, token)
    const known = entries.get(hash)
    if (known !== undefined && known.untilMs > clock.nowMs()) return known
    entries.delete(hash)
    return readOnce(hash)
  }

  return {
    holderOf: async (token) => (await lookUp(token))?.holder ?? null,
    forget(which) {
      revocations += 1
      reading.clear()
      for (const [hash, entry] of entries) if (matches(hash, entry, which)) entries.delete(hash)
    },
  }
}
