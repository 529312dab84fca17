import type { AuthorizationDetail } from '../../capability/index.ts'
import { type Clock, limits, type Queries, sha256Hex, type Transaction } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { type AccessType, accessTypeOf, asksForOpenId } from '../grant/access-type.ts'
import { type Agreement, authorizationOf, type GrantContext, makeGrant } from '../grant/make-grant.ts'
import { isInstalled } from '../grant/store.ts'
import type { OAuthKeys } from '../keys.ts'
import { throughTransaction } from '../token/unit-of-work.ts'
import { cliClientId, isCliAudience } from './cli-client.ts'
import {
  countWrongCodes,
  type DeviceDecision,
  type DeviceRow,
  decideDevice,
  findWaitingDevice,
  noteWrongCode,
} from './store.ts'
import { hashUserCode, normalUserCode } from './user-code.ts'

/** A device that waits for somebody's decision. */
export interface DeviceRequest {
  /** cli: the platform's own command line, which acts as the person. */
  readonly kind: 'app' | 'cli'
  readonly appId: string
  readonly appName: string
  readonly publisherName: string | null
  readonly scopes: readonly string[]
  readonly accessType: AccessType
  readonly details: readonly AuthorizationDetail[]
  /** Where the request came from: what whoever started it can recognise. */
  readonly address: string
  readonly userAgent: string
  readonly requestedAtMs: number
  readonly expiresAtMs: number
}

export interface DeviceDependencies {
  readonly queries: Queries
  readonly keys: OAuthKeys
  readonly clock: Clock
  /** The network an address belongs to: an IPv6 customer has a whole one to choose addresses from. */
  networkOf(address: string): string
}

/** Who types a code, and from where. */
export interface Typist {
  readonly personId: string
  readonly address: string
}

type Parameters = Readonly<Record<string, unknown>>

function scopesOf(params: Parameters): string[] {
  const { scope } = params
  return typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []
}

function paramsOf({ payload }: DeviceRow): Parameters {
  return (payload.params ?? {}) as Parameters
}

function detailsOf(params: Parameters): readonly AuthorizationDetail[] {
  const { authorization_details: text } = params
  return typeof text === 'string' ? (JSON.parse(text) as AuthorizationDetail[]) : []
}

function toRequest(row: DeviceRow): DeviceRequest {
  const params = paramsOf(row)
  const { address = '', userAgent = '' } = (row.payload.deviceInfo ?? {}) as {
    readonly address?: string
    readonly userAgent?: string
  }
  const isCli = row.app_id === cliClientId
  const asked = scopesOf(params)
  return {
    kind: isCli ? 'cli' : 'app',
    appId: row.app_id,
    appName: isCli ? 'Stoa CLI' : (row.app_name ?? row.app_id),
    publisherName: row.publisher_name,
    scopes: asked,
    accessType: accessTypeOf(params),
    details: detailsOf(params),
    ...{ address, userAgent },
    requestedAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
  }
}

// ── guessing ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface Window {
  readonly key: string
  readonly max: number
}

function windowsOf({ networkOf }: DeviceDependencies, { personId, address }: Typist): readonly Window[] {
  return [
    { key: sha256Hex(JSON.stringify(['person', personId])), max: limits.userCodeFailuresMax },
    {
      key: sha256Hex(JSON.stringify(['network', networkOf(address)])),
      max: limits.userCodeNetworkFailuresMax,
    },
  ]
}

/**
 * RFC 8628 §5.1: "the server SHOULD rate-limit user code attempts". A person has few; a network has more, because
 * accounts are cheap and colleagues share one.
 */
async function checkAttempts(deps: DeviceDependencies, windows: readonly Window[]): Promise<void> {
  const failures = await countWrongCodes(
    deps.queries,
    windows.map(({ key }) => key),
    deps.clock.nowMs(),
  )
  if (windows.every(({ key, max }) => (failures.get(key) ?? 0) < max)) return
  throw OAuthErrors.too_many_user_codes(undefined, {
    headers: { 'retry-after': String(limits.userCodeWindowMs / 1000) },
  })
}

/**
 * What waits behind a typed code; wrong ones are counted. Decided, expired and unknown codes have one answer.
 * @throws oauth.user_code_not_found, oauth.too_many_user_codes
 */
export async function findDeviceRequest(
  deps: DeviceDependencies,
  typist: Typist,
  typed: string,
): Promise<DeviceRequest> {
  const windows = windowsOf(deps, typist)
  await checkAttempts(deps, windows)
  const code = normalUserCode(typed)
  const nowMs = deps.clock.nowMs()
  const row =
    code === null ? null : await findWaitingDevice(deps.queries, hashUserCode(deps.keys, code), nowMs)
  if (row !== null) return toRequest(row)
  await noteWrongCode(
    deps.queries,
    windows.map(({ key }) => key),
    nowMs,
  )
  throw OAuthErrors.user_code_not_found()
}

// ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────────────

async function loadWaiting(deps: DeviceDependencies, tx: Transaction, typed: string) {
  const code = normalUserCode(typed)
  const userCodeHash = code === null ? '' : hashUserCode(deps.keys, code)
  const row = await findWaitingDevice(tx, userCodeHash, deps.clock.nowMs())
  if (row === null) throw OAuthErrors.user_code_not_found()
  return { row, userCodeHash }
}

/** What waits behind a code, inside a transaction; wrong codes were counted before. @throws oauth.user_code_not_found */
export async function findWaitingRequest(
  deps: DeviceDependencies,
  tx: Transaction,
  typed: string,
): Promise<DeviceRequest> {
  return toRequest((await loadWaiting(deps, tx, typed)).row)
}

const nothing = { grantId: null, installationId: null, merchantId: null } as const

async function decide(tx: Transaction, decision: DeviceDecision): Promise<void> {
  if (!(await decideDevice(tx, decision))) throw OAuthErrors.user_code_not_found()
}

/**
 * A merchant has agreed to what an app asks for on a device: the device gets its tokens with its next question. Runs in
 * the transaction that installs the app.
 * @throws oauth.user_code_not_found
 */
export async function completeDevice(
  deps: DeviceDependencies,
  context: GrantContext,
  tx: Transaction,
  { userCode, ...agreement }: Agreement & { readonly userCode: string },
): Promise<void> {
  const { row, userCodeHash } = await loadWaiting(deps, tx, userCode)
  const { merchantId, installationId, granted, details, personId } = agreement
  if (row.app_id === cliClientId || !(await isInstalled(tx, merchantId, installationId, row.app_id)))
    throw OAuthErrors.user_code_not_found()
  const params = paramsOf(row)
  const grant = await throughTransaction(tx, () =>
    makeGrant(context, authorizationOf(row.app_id, params, agreement)),
  )
  const scopes = scopesOf(params).filter((scope) => scope === 'openid' || granted.includes(scope))
  await decide(tx, {
    userCodeHash,
    payload: {
      ...{ accountId: grant.accountId, grantId: grant.jti, scope: scopes.join(' ') },
      ...(details.length === 0 ? {} : { rar: details }),
      ...(asksForOpenId(params) ? { authTime: Math.floor(deps.clock.nowMs() / 1000) } : {}),
    },
    ...{ grantId: grant.jti, installationId, merchantId, personId },
    nowMs: deps.clock.nowMs(),
  })
}

/**
 * A person signs the command line in.
 * @throws oauth.user_code_not_found
 */
export async function approveCli(
  deps: DeviceDependencies,
  tx: Transaction,
  { userCode, personId }: { readonly userCode: string; readonly personId: string },
): Promise<void> {
  const { row, userCodeHash } = await loadWaiting(deps, tx, userCode)
  if (row.app_id !== cliClientId) throw OAuthErrors.user_code_not_found()
  const scope = scopesOf(paramsOf(row)).filter(isCliAudience).join(' ')
  const payload = { accountId: personId, scope }
  await decide(tx, { userCodeHash, payload, ...nothing, personId, nowMs: deps.clock.nowMs() })
}

/** The person said no; the device is told with its next question. @throws oauth.user_code_not_found */
export async function denyDevice(
  deps: DeviceDependencies,
  tx: Transaction,
  { userCode, personId }: { readonly userCode: string; readonly personId: string },
): Promise<void> {
  const { userCodeHash } = await loadWaiting(deps, tx, userCode)
  const payload = { error: 'access_denied', errorDescription: 'the person did not agree' }
  await decide(tx, { userCodeHash, payload, ...nothing, personId, nowMs: deps.clock.nowMs() })
}
