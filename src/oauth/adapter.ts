import type { Adapter, AdapterPayload } from 'oidc-provider'
import { type BoundTypes, meetDetails } from '../capability/index.ts'
import {
  assert,
  type Clock,
  idPattern,
  isWellFormedToken,
  limits,
  present,
  type Queries,
  type TokenKind,
} from '../kernel/index.ts'
import { currentMechanism } from './client/authentication.ts'
import { toClientPayload } from './client/client.ts'
import { findClient } from './client/store.ts'
import { cliClient, cliClientId } from './device/cli-client.ts'
import { insertDeviceCode } from './device/store.ts'
import { hashUserCode } from './device/user-code.ts'
import { findGrant, type GrantRow, insertGrant, revokeGrant } from './grant/store.ts'
import { findState, findStateByUid, removeState, saveState, takeState } from './interaction/store.ts'
import { hashValue, type OAuthKeys } from './keys.ts'
import { errors, Provider } from './library.ts'
import type { AccessTokens } from './token/access-token.ts'
import { endsOneToken } from './token/inspect-token.ts'
import {
  findToken,
  type NewToken,
  revokeToken,
  revokeTokensOfGrant,
  type TokenRow,
  writeTokens,
} from './token/store.ts'
import {
  currentGrantOwner,
  currentQueries,
  currentUnitOfWork,
  type UnitOfWork,
} from './token/unit-of-work.ts'

export interface AdapterDependencies {
  readonly queries: Queries
  readonly keys: OAuthKeys
  readonly clock: Clock
  readonly accessTokens: AccessTokens
  /** The one resource of this server: `<publicUrl>/v1`. */
  readonly resource: string
  supportedScopes(): readonly string[]
  readonly boundTypes: BoundTypes
  readonly placeholderSecret: string
}

/** The library's models whose ids are secrets with our prefix and checksum. */
export const tokenKinds: Readonly<Record<string, TokenKind>> = {
  AccessToken: 'accessToken',
  ClientCredentials: 'accessToken',
  RefreshToken: 'refreshToken',
  AuthorizationCode: 'authorizationCode',
  DeviceCode: 'deviceCode',
}

function neverCalled(what: string): () => Promise<never> {
  return () => Promise.reject(new Error(`invariant broken: the library never calls ${what}`))
}

/** What no model of this kind has; each adapter overrides what it has. */
function bareAdapter(model: string): Adapter {
  return {
    upsert: neverCalled(`${model}.upsert`),
    find: neverCalled(`${model}.find`),
    findByUserCode: neverCalled(`${model}.findByUserCode`),
    findByUid: neverCalled(`${model}.findByUid`),
    consume: neverCalled(`${model}.consume`),
    destroy: neverCalled(`${model}.destroy`),
    revokeByGrantId: neverCalled(`${model}.revokeByGrantId`),
  }
}

// Stored payloads never hold the id itself: it is the secret, or leads to it.
function withoutId({ jti: _jti, ...payload }: AdapterPayload): AdapterPayload {
  return payload
}

function epochSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}

// ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────

// There is one resource, and its address follows the platform's own: what is stored outlives a change of it.
function toTokenPayload(id: string, row: TokenRow, resource: string): AdapterPayload {
  const consumed = row.consumed_at === null ? {} : { consumed: epochSeconds(row.consumed_at.getTime()) }
  return { ...row.payload, ...consumed, jti: id, resource, aud: resource }
}

function toStoredToken(payload: AdapterPayload): AdapterPayload {
  const { resource: _resource, aud: _aud, ...stored } = withoutId(payload)
  return stored
}

function toNewToken(
  model: string,
  hash: string,
  payload: AdapterPayload,
  grant: GrantRow | null,
  expiresAtMs: number,
): NewToken {
  return {
    hash,
    kind: model,
    appId: payload.clientId ?? '',
    grantId: payload.grantId ?? null,
    installationId: grant?.installation_id ?? null,
    merchantId: grant?.merchant_id ?? null,
    personId: grant?.person_id ?? null,
    scopes: (payload.scope ?? '').split(' ').filter((scope) => scope !== ''),
    payload: toStoredToken(payload),
    expiresAtMs,
  }
}

/** The library keeps the scope of the API alone on an access token; who the person is, is openid's to tell. */
function withOpenId(payload: AdapterPayload, { grant, openId, extra }: UnitOfWork): AdapterPayload {
  const isExchanged = Object.hasOwn(extra, 'act')
  const granted = grant?.payload as { readonly openid?: { readonly scope?: string } } | undefined
  if (!openId || isExchanged || granted?.openid?.scope === undefined) return payload
  return { ...payload, scope: `openid ${payload.scope ?? ''}`.trim() }
}

function tokenAdapter(model: string, kind: TokenKind, deps: AdapterDependencies): Adapter {
  const { keys, clock, accessTokens } = deps
  const q = () => currentQueries(deps.queries)

  /**
   * A code is asked for by a person, at whose sign-in the library has checked it; whoever redeems it acts as the
   * installation. So the change of identity happens here, once.
   */
  async function saveCode(hash: string, payload: AdapterPayload, expiresAtMs: number): Promise<void> {
    const grant = await findGrant(q(), payload.grantId ?? '', clock.nowMs())
    if (grant === null) throw new errors.AccessDenied('the installation has ended')
    const code = toNewToken(model, hash, { ...payload, accountId: grant.account_id }, grant, expiresAtMs)
    const write = { issued: [code], familyId: null, consumed: null, successor: null, replayBox: null }
    await writeTokens(q(), { ...write, nowMs: clock.nowMs() })
  }

  /** Only the hash of the user code is kept: who reads the table cannot decide about a device. */
  function saveDeviceCode(hash: string, payload: AdapterPayload, expiresAtMs: number): Promise<void> {
    const { userCode = '', ...stored } = toStoredToken(payload)
    const userCodeHash = hashUserCode(keys, userCode)
    const appId = payload.clientId ?? ''
    return insertDeviceCode(q(), {
      hash,
      userCodeHash,
      appId,
      payload: stored,
      nowMs: clock.nowMs(),
      expiresAtMs,
    })
  }

  return {
    ...bareAdapter(model),
    async upsert(id, payload, expiresInSeconds = 0) {
      const hash = hashValue(keys, id)
      const expiresAtMs = clock.nowMs() + expiresInSeconds * 1000
      const unit = currentUnitOfWork()
      if (unit === null && model === 'DeviceCode') return saveDeviceCode(hash, payload, expiresAtMs)
      if (unit === null) {
        assert(model === 'AuthorizationCode', `${model} is issued at the token endpoint only`)
        return saveCode(hash, payload, expiresAtMs)
      }
      const issued = model === 'AccessToken' ? withOpenId(payload, unit) : payload
      unit.issued.push(toNewToken(model, hash, issued, unit.grant, expiresAtMs))
    },
    async find(id) {
      if (!isWellFormedToken(kind, id)) return undefined
      const hash = hashValue(keys, id)
      const ahead = currentUnitOfWork()?.refreshToken ?? null
      const row = ahead?.hash === hash ? ahead : await findToken(q(), hash, clock.nowMs())
      if (row === null || row.kind !== model || row.revoked_at !== null) return undefined
      return toTokenPayload(id, row, deps.resource)
    },
    consume(id) {
      const unit = currentUnitOfWork()
      assert(unit !== null, `${model} is used up at the token endpoint only`)
      unit.consumed = hashValue(keys, id)
      return Promise.resolve()
    },
    async destroy(id) {
      const hash = hashValue(keys, id)
      await revokeToken(q(), hash, clock.nowMs())
      accessTokens.forget({ hash })
    },
    async revokeByGrantId(grantId) {
      // The library asks every model in turn; one statement ends them all.
      if (model !== 'AccessToken' || endsOneToken(Provider.ctx)) return
      await revokeTokensOfGrant(q(), grantId, clock.nowMs())
      accessTokens.forget({ grantId })
    },
  }
}

// ── grants ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Resources = Readonly<Record<string, string>> | undefined
type GrantPayload = AdapterPayload & {
  readonly resources?: Resources
  readonly rejected?: { readonly resources?: Resources }
}

/** The key under which the one resource's scopes are stored, for the reason given at the tokens. */
const storedResource = 'v1'

function rename(resources: Resources, from: string, to: string): Readonly<Record<string, string>> {
  const scopes = resources?.[from] ?? ''
  return scopes === '' ? {} : { [to]: scopes }
}

function toStoredGrant(payload: GrantPayload, resource: string): AdapterPayload {
  const stored = {
    ...withoutId(payload),
    resources: rename(payload.resources, resource, storedResource),
    rejected: { resources: rename(payload.rejected?.resources, resource, storedResource) },
  }
  return stored
}

/** The library's grant, cut down to what the merchant grants at this moment. */
function toGrantPayload(row: GrantRow, { resource, boundTypes }: AdapterDependencies): AdapterPayload {
  const payload: GrantPayload = row.payload
  const scopes = (payload.resources?.[storedResource] ?? '').split(' ')
  const live = scopes.filter((scope) => row.granted.includes(scope)).join(' ')
  const grant = {
    ...payload,
    resources: rename({ [storedResource]: live }, storedResource, resource),
    rejected: { resources: rename(payload.rejected?.resources, storedResource, resource) },
    rar: [...meetDetails(boundTypes, row.bounds, payload.rar ?? [])],
    jti: row.id,
  }
  return grant
}

function grantAdapter(deps: AdapterDependencies): Adapter {
  const { clock, accessTokens } = deps
  const q = () => currentQueries(deps.queries)
  return {
    ...bareAdapter('Grant'),
    async upsert(id, payload, expiresInSeconds = 0) {
      const nowMs = clock.nowMs()
      await insertGrant(q(), {
        id,
        appId: payload.clientId ?? '',
        accountId: payload.accountId ?? '',
        ...present(currentGrantOwner(), 'whose grant is saved'),
        payload: toStoredGrant(payload, deps.resource),
        nowMs,
        expiresAtMs: nowMs + expiresInSeconds * 1000,
      })
    },
    async find(id) {
      const unit = currentUnitOfWork()
      const row = unit?.grant?.id === id ? unit.grant : await findGrant(q(), id, clock.nowMs())
      if (row === null) return undefined
      if (unit !== null) unit.grant = row
      return toGrantPayload(row, deps)
    },
    async destroy(id) {
      await revokeGrant(q(), id, { reason: 'revoked', nowMs: clock.nowMs() })
      accessTokens.forget({ grantId: id })
    },
  }
}

// ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────

const appIdForm = new RegExp(idPattern('app'))

function clientAdapter(deps: AdapterDependencies): Adapter {
  return {
    ...bareAdapter('Client'),
    // Read at every use and never kept: a revoked secret, a stopped app or a new release counts at the next request.
    async find(id) {
      if (id === cliClientId) return cliClient
      // Anybody may send any text as client_id, also one that the database cannot even compare.
      if (!appIdForm.test(id)) return undefined
      const row = await findClient(currentQueries(deps.queries), id, deps.clock.nowMs())
      if (row === null) return undefined
      const { placeholderSecret } = deps
      const supportedScopes = deps.supportedScopes()
      return toClientPayload(row, { supportedScopes, placeholderSecret, mechanism: currentMechanism() })
    },
  }
}

// ── everything else ──────────────────────────────────────────────────────────────────────────────────────────────

// An interaction holds two secrets besides its id: the id again in the address it returns to, and the value of the
// session's cookie, which is never read again.
function withoutSecrets(id: string, payload: AdapterPayload): AdapterPayload {
  const { session, returnTo, ...rest } = withoutId(payload)
  const stored: AdapterPayload = { ...rest }
  if (returnTo !== undefined) stored.returnTo = returnTo.replace(id, ':uid')
  if (session !== undefined) {
    const { cookie: _cookie, ...others } = session
    stored.session = others
  }
  return stored
}

function withSecrets(id: string, payload: AdapterPayload): AdapterPayload {
  const returnTo = payload.returnTo?.replace(':uid', id)
  return { ...payload, ...(returnTo === undefined ? {} : { returnTo }), jti: id }
}

// RFC 6749 appendix A: no parameter of a request holds a control character; PostgreSQL's jsonb cannot hold this one.
function holdsNul({ params }: AdapterPayload): boolean {
  return Object.values(params ?? {}).some((value) => typeof value === 'string' && value.includes('\0'))
}

/** @throws invalid_request: nothing that a request may say at will is kept in any length */
function checkSize(payload: AdapterPayload): void {
  if (JSON.stringify(payload).length > limits.oauthStateLengthMax)
    throw new errors.InvalidRequest('the parameters are too long')
}

function stateAdapter(model: string, deps: AdapterDependencies): Adapter {
  const { keys, clock } = deps
  const q = () => currentQueries(deps.queries)
  const hashOf = (id: string) => hashValue(keys, `${model}.${id}`)
  return {
    ...bareAdapter(model),
    upsert(id, payload, expiresInSeconds = 0) {
      if (holdsNul(payload)) throw new errors.InvalidRequest('a parameter holds a NUL character')
      checkSize(payload)
      const nowMs = clock.nowMs()
      return saveState(q(), {
        hash: hashOf(id),
        kind: model,
        uid: model === 'Session' ? (payload.uid ?? null) : null,
        accountId: payload.accountId ?? null,
        payload: withoutSecrets(id, payload),
        nowMs,
        expiresAtMs: nowMs + expiresInSeconds * 1000,
      })
    },
    async find(id) {
      const payload = await findState(q(), model, hashOf(id), clock.nowMs())
      return payload === null ? undefined : withSecrets(id, payload)
    },
    async findByUid(uid) {
      return (await findStateByUid(q(), model, uid, clock.nowMs())) ?? undefined
    },
    destroy: (id) => removeState(q(), model, hashOf(id)),
  }
}

/**
 * A pushed request. RFC 9126 §4: "Authorization servers SHOULD treat request_uri values as one-time use". The library
 * would note the use when the merchant has agreed, an hour later perhaps; here reading it is the use, by one statement.
 */
function pushedRequestAdapter(model: string, deps: AdapterDependencies): Adapter {
  const { keys, clock } = deps
  const hashOf = (id: string) => hashValue(keys, `${model}.${id}`)
  return {
    ...stateAdapter(model, deps),
    async find(id) {
      const payload = await takeState(currentQueries(deps.queries), model, hashOf(id), clock.nowMs())
      return payload === null ? undefined : { ...payload, jti: id }
    },
    consume: () => Promise.resolve(),
  }
}

/** The library's storage on our tables, by the name of its model. */
export function makeAdapter(model: string, deps: AdapterDependencies): Adapter {
  const tokenKind = tokenKinds[model]
  if (tokenKind !== undefined) return tokenAdapter(model, tokenKind, deps)
  if (model === 'Grant') return grantAdapter(deps)
  if (model === 'Client') return clientAdapter(deps)
  if (model === 'PushedAuthorizationRequest') return pushedRequestAdapter(model, deps)
  return stateAdapter(model, deps)
}
