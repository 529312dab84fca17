import {
  byId,
  CapabilityErrors,
  defineOperation,
  idOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  schema,
  toPage,
} from '../../capability/index.ts'
import { type DbTime, limits, type Queries, toIso } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import {
  type AuthorizationOwner,
  type AuthorizationRow,
  type FamilyTokenRow,
  findAuthorization,
  listAuthorizations,
  listTokensOf,
  ownerExists,
} from './store.ts'

const members = {
  id: idOf('authorization'),
  appId: idOf('app'),
  appName: schema.string({ maxLength: 200 }),
  installationId: idOf('installation'),
  merchantId: idOf('merchant'),
  accessType: schema.oneOf(['offline', 'online'], {
    description: 'Of the installation, or of a person at it',
  }),
  state: schema.oneOf(['active', 'ended']),
  endReason: schema.nullable(
    schema.oneOf(['revoked', 'reused', 'uninstalled', 'person_gone', 'expired'], {
      description: 'reused: a code or refresh token came twice',
    }),
  ),
  createdAt: schema.time(),
  endedAt: schema.nullable(schema.time()),
  refreshTokens: schema.integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  lastRotatedAt: schema.nullable(schema.time()),
}

const Authorization = schema.named('Authorization', schema.object(members))
const AuthorizationTree = schema.named(
  'AuthorizationTree',
  schema.object({
    ...members,
    tokens: schema.array(
      schema.object({
        number: schema.integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        kind: schema.oneOf(['refresh_token', 'access_token']),
        state: schema.oneOf(['live', 'used', 'revoked', 'expired']),
        successor: schema.nullable(
          schema.integer({
            minimum: 1,
            maximum: Number.MAX_SAFE_INTEGER,
            description: 'Number of the refresh token that took its place: there is at most one',
          }),
        ),
        scopes: schema.array(schema.string({ maxLength: 100 }), { maxItems: 100 }),
        issuedAt: schema.time(),
        expiresAt: schema.time(),
        usedAt: schema.nullable(schema.time({ description: 'When a refresh token was rotated' })),
      }),
      { maxItems: limits.pageSizeMax, description: 'Newest first; no value of any token' },
    ),
  }),
)

const isoOrNull = (time: DbTime | null) => (time === null ? null : toIso(time.getTime()))

type EndReason = 'revoked' | 'reused' | 'uninstalled' | 'person_gone' | 'expired'

function endOf(
  row: AuthorizationRow,
  nowMs: number,
): { readonly reason: EndReason; readonly at: DbTime | null } | null {
  if (row.revoked_at !== null)
    return { reason: (row.end_reason ?? 'revoked') as EndReason, at: row.revoked_at }
  if (row.expires_at.getTime() <= nowMs) return { reason: 'expired', at: row.expires_at }
  // Nobody has noted when a session ended or a membership was taken back.
  return row.live ? null : { reason: row.online ? 'person_gone' : 'uninstalled', at: null }
}

function toAuthorization(row: AuthorizationRow, nowMs: number) {
  const end = endOf(row, nowMs)
  return {
    ...{ id: row.id, appId: row.app_id, appName: row.app_name },
    ...{ installationId: row.installation_id, merchantId: row.merchant_id },
    accessType: row.online ? ('online' as const) : ('offline' as const),
    state: end === null ? ('active' as const) : ('ended' as const),
    endReason: end?.reason ?? null,
    createdAt: toIso(row.created_at.getTime()),
    endedAt: isoOrNull(end?.at ?? null),
    refreshTokens: row.refresh_tokens,
    lastRotatedAt: isoOrNull(row.last_rotated_at),
  }
}

function tokenState(row: FamilyTokenRow, isOver: boolean, nowMs: number) {
  if (row.consumed_at !== null) return 'used'
  if (row.revoked_at !== null || isOver) return 'revoked'
  return row.expires_at.getTime() <= nowMs ? 'expired' : 'live'
}

async function readTree(q: Queries, owner: AuthorizationOwner, authorizationId: string, nowMs: number) {
  const row = await findAuthorization(q, owner, { authorizationId, nowMs })
  if (row === null) throw OAuthErrors.authorization_not_found()
  const tokens = await listTokensOf(q, row.merchant_id, row.id)
  const authorization = toAuthorization(row, nowMs)
  return {
    ...authorization,
    tokens: tokens.map((token) => ({
      number: token.number,
      kind: token.kind === 'RefreshToken' ? ('refresh_token' as const) : ('access_token' as const),
      state: tokenState(token, authorization.state === 'ended', nowMs) as
        | 'live'
        | 'used'
        | 'revoked'
        | 'expired',
      successor: token.successor,
      scopes: token.scopes,
      issuedAt: toIso(token.created_at.getTime()),
      expiresAt: toIso(token.expires_at.getTime()),
      usedAt: isoOrNull(token.consumed_at),
    })),
  }
}

const developers = { kind: 'publisher', roles: ['owner', 'developer', 'viewer'] } as const
const staff = { kind: 'merchant', roles: ['owner', 'manager', 'staff'] } as const
const list = pageOf(Authorization, limits.pageSizeMax)
const appId = idOf('app')
const installationId = idOf('installation')
const authorizationId = idOf('authorization')

const forDevelopers: readonly Operation[] = [
  defineOperation({
    id: 'authorization.list',
    summary: 'The app’s authorizations that can be refreshed, newest first',
    method: 'GET',
    path: '/developer/v1/apps/{appId}/authorizations',
    audience: 'developer',
    access: developers,
    kind: 'read',
    input: schema.object({ appId, ...pageInput('authorization') }),
    output: list,
    errors: [CapabilityErrors.not_found],
    async handle({ queries, tenantIds, input, clock }) {
      const nowMs = clock.nowMs()
      const owner = { publisherIds: tenantIds, appId: input.appId }
      if (!(await ownerExists(queries, owner))) throw CapabilityErrors.not_found()
      const rows = await listAuthorizations(queries, owner, { ...pageRequestOf(input), nowMs })
      return toPage(input, rows, { toItem: (row) => toAuthorization(row, nowMs), cursorOf: byId })
    },
  }),
  defineOperation({
    id: 'authorization.get',
    summary: 'One authorization with its tokens: when each was issued, used and ended',
    description: 'What to look at when a refresh token is refused.',
    method: 'GET',
    path: '/developer/v1/apps/{appId}/authorizations/{authorizationId}',
    audience: 'developer',
    access: developers,
    kind: 'read',
    input: schema.object({ appId, authorizationId }),
    output: AuthorizationTree,
    errors: [OAuthErrors.authorization_not_found],
    handle: ({ queries, tenantIds, input, clock }) =>
      readTree(
        queries,
        { publisherIds: tenantIds, appId: input.appId },
        input.authorizationId,
        clock.nowMs(),
      ),
  }),
]

const forMerchants: readonly Operation[] = [
  defineOperation({
    id: 'merchant_authorization.list',
    summary: 'The connections an installed app has, newest first',
    method: 'GET',
    path: '/merchant/v1/installations/{installationId}/authorizations',
    audience: 'merchant',
    access: staff,
    kind: 'read',
    input: schema.object({ installationId, ...pageInput('authorization') }),
    output: list,
    errors: [CapabilityErrors.not_found],
    async handle({ queries, tenantIds, input, clock }) {
      const nowMs = clock.nowMs()
      const owner = { merchantIds: tenantIds, installationId: input.installationId }
      if (!(await ownerExists(queries, owner))) throw CapabilityErrors.not_found()
      const rows = await listAuthorizations(queries, owner, { ...pageRequestOf(input), nowMs })
      return toPage(input, rows, { toItem: (row) => toAuthorization(row, nowMs), cursorOf: byId })
    },
  }),
  defineOperation({
    id: 'merchant_authorization.get',
    summary: 'One connection of an installed app: when its tokens were issued, used and ended',
    method: 'GET',
    path: '/merchant/v1/authorizations/{authorizationId}',
    audience: 'merchant',
    access: staff,
    kind: 'read',
    input: schema.object({ authorizationId }),
    output: AuthorizationTree,
    errors: [OAuthErrors.authorization_not_found],
    async handle({ queries, tenantIds, input, clock, concerns }) {
      const owner = { merchantIds: tenantIds, installationId: null }
      const tree = await readTree(queries, owner, input.authorizationId, clock.nowMs())
      concerns(tree.merchantId)
      return tree
    },
  }),
]

/** What developer and merchant see of the authorizations of an app: everything but the tokens themselves. */
export const authorizationOperations: readonly Operation[] = [...forDevelopers, ...forMerchants]
