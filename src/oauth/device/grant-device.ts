import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Db } from '../../db/index.ts'
import { type Clock, isWellFormedToken, limits, StoaError, type Transaction } from '../../kernel/index.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import { errors } from '../library.ts'
import type { GrantHandler } from '../token/token-endpoint.ts'
import { type CliAudience, cliClientId, isCliAudience } from './cli-client.ts'
import { consumeDeviceCode, type DecidedRow, findDeviceCode, notePoll } from './store.ts'

export interface PersonalTokenRequest {
  readonly personId: string
  readonly name: string
  readonly audiences: readonly CliAudience[]
}

export interface DeviceGrantDependencies {
  readonly db: Db
  readonly keys: OAuthKeys
  readonly clock: Clock
  /** A personal token for the command line; throws when the person may have no more. */
  issuePersonalToken(
    tx: Transaction,
    request: PersonalTokenRequest,
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }>
}

/** RFC 8628 §3.5: the client "MUST wait at least the number of seconds" of the interval between two polls. */
async function keepPace(deps: DeviceGrantDependencies, ctx: KoaContextWithOIDC, hash: string): Promise<void> {
  const nowMs = deps.clock.nowMs()
  const poll = await notePoll(deps.db.queries, ctx.oidc.client?.clientId ?? '', hash, nowMs)
  // The library takes an expired code for an unknown one.
  if (poll !== null && poll.expires_at.getTime() <= nowMs)
    throw new errors.ExpiredToken('device code is expired')
  if (poll === null || poll.polled_at === null) return
  const waitedMs = nowMs - poll.polled_at.getTime()
  if (waitedMs < poll.poll_interval_ms - limits.devicePollSlackMs)
    throw new errors.SlowDown('wait 5 seconds longer between two requests than until now')
}

/** The decided request, or the error of RFC 8628 §3.5 that says why there is none. */
function decidedOf(row: DecidedRow | null): DecidedRow & { readonly person_id: string } {
  if (row === null || row.revoked_at !== null || row.consumed_at !== null)
    throw new errors.InvalidGrant('device code not found or used already')
  if (row.payload.error !== undefined) throw new errors.AccessDenied(row.payload.errorDescription)
  if (row.person_id === null) throw new errors.AuthorizationPending()
  return { ...row, person_id: row.person_id }
}

/** The command line gets a personal token: it acts as the developer, not as an app at a merchant. */
async function signInCli(
  deps: DeviceGrantDependencies,
  ctx: KoaContextWithOIDC,
  hash: string,
): Promise<void> {
  const { db, clock } = deps
  const row = decidedOf(await findDeviceCode(db.queries, cliClientId, hash))
  const audiences = (row.payload.scope ?? '').split(' ').filter(isCliAudience)
  const { address = '' } = (row.payload.deviceInfo ?? {}) as { readonly address?: string }
  const issued = await db.tx(async (tx) => {
    if (!(await consumeDeviceCode(tx, cliClientId, hash, clock.nowMs()))) return null
    const name = `Stoa CLI, asked for from ${address}`
    return deps.issuePersonalToken(tx, { personId: row.person_id, name, audiences })
  })
  if (issued === null) throw new errors.InvalidGrant('device code not found or used already')
  ctx.body = {
    access_token: issued.token,
    token_type: 'Bearer',
    expires_in: Math.floor((issued.expiresAtMs - clock.nowMs()) / 1000),
    scope: audiences.join(' '),
  }
}

/** The device code grant: paced, and for the command line with an end of its own. */
export function grantDevice(deps: DeviceGrantDependencies, handler: GrantHandler): GrantHandler {
  return async (ctx) => {
    const value = String(ctx.oidc.params?.['device_code'] ?? '')
    // The library finds the words for what is missing or can be none.
    if (!isWellFormedToken('deviceCode', value)) return handler(ctx)
    const hash = hashValue(deps.keys, value)
    await keepPace(deps, ctx, hash)
    if (ctx.oidc.client?.clientId !== cliClientId) return handler(ctx)
    await signInCli(deps, ctx, hash).catch((error: unknown) => {
      throw error instanceof StoaError && error.status < 500 ? new errors.AccessDenied(error.message) : error
    })
  }
}
