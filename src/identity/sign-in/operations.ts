import {
  defineOperation,
  idOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  personOf,
  schema,
  toPage,
} from '../../capability/index.ts'
import { limits, toIso, tokenPrefixes } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import * as wire from '../schema.ts'
import { checkSecondFactor, type SecondFactorDependencies } from '../totp/check-second-factor.ts'
import { createPersonalToken } from './create-personal-token.ts'
import { type Credentials, signIn, tooManyAttempts } from './sign-in.ts'
import { userAgentLengthMax } from './start-session.ts'
import {
  endOtherSessions,
  endSessionById,
  listSessions,
  listTokens,
  revokeToken,
  type SessionRow,
  type TokenRow,
} from './store.ts'

const tokenAudiences = schema.array(schema.oneOf(wire.audiences), {
  minItems: 1,
  maxItems: wire.audiences.length,
  uniqueItems: true,
  description: 'Parts of the API the token may be used for; within them it may do what the person may',
})
const tokenName = wire.nameOf('For yourself, to tell tokens apart')

const PersonalToken = schema.named(
  'PersonalToken',
  schema.object({
    id: idOf('personalToken'),
    name: tokenName,
    audiences: tokenAudiences,
    createdAt: schema.time(),
    expiresAt: schema.time(),
    lastUsedAt: schema.nullable(schema.time({ description: 'Exact to a minute' })),
  }),
)

const CreatedPersonalToken = schema.named(
  'CreatedPersonalToken',
  schema.object({
    id: idOf('personalToken'),
    token: schema.string({
      maxLength: 64,
      pattern: `^${tokenPrefixes.personalToken}`,
      description: 'Shown this once',
    }),
    name: tokenName,
    audiences: tokenAudiences,
    createdAt: schema.time(),
    expiresAt: schema.time(),
  }),
)

function toToken(row: TokenRow) {
  return {
    id: row.id,
    name: row.name,
    audiences: row.audiences as wire.Audience[],
    createdAt: toIso(row.created_at.getTime()),
    expiresAt: toIso(row.expires_at.getTime()),
    lastUsedAt: row.last_used_at === null ? null : toIso(row.last_used_at.getTime()),
  }
}

const secondMs = 1000

/**
 * Who the credentials are of, second factor included.
 * @throws identity.sign_in_refused, identity.second_factor_required, identity.second_factor_refused,
 * identity.too_many_attempts
 */
async function signInForToken(
  deps: SecondFactorDependencies,
  credentials: Credentials,
  code: string | undefined,
): Promise<string> {
  const outcome = await signIn(deps, credentials)
  if (outcome.kind === 'throttled') throw tooManyAttempts(outcome.retryAfterMs)
  if (outcome.kind === 'refused') throw IdentityErrors.sign_in_refused()
  const { personId } = outcome
  if (outcome.kind === 'signed_in') return personId
  if (code === undefined) throw IdentityErrors.second_factor_required()
  const { address } = credentials
  const second = await checkSecondFactor(deps, { personId, code, address })
  if (second.kind === 'throttled') throw tooManyAttempts(second.retryAfterMs)
  if (second.kind === 'refused') throw IdentityErrors.second_factor_refused()
  return personId
}

function createToken(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'personal_token.create',
    summary: 'Sign in by password and get a personal token for a program',
    method: 'POST',
    path: '/account/v1/tokens',
    audience: 'account',
    access: { kind: 'public' },
    kind: 'write',
    status: 201,
    input: schema.object({
      email: wire.email,
      password: wire.password,
      totp: schema.optional(
        schema.string({
          maxLength: 32,
          description: 'For who has set up a second factor: the code, or a recovery code',
        }),
      ),
      name: tokenName,
      audiences: tokenAudiences,
      lifetimeSeconds: schema.optional(
        schema.integer({
          minimum: 60,
          maximum: limits.personalTokenMsMax / secondMs,
          default: limits.personalTokenMs / secondMs,
        }),
      ),
    }),
    output: CreatedPersonalToken,
    errors: [
      IdentityErrors.sign_in_refused,
      IdentityErrors.second_factor_required,
      IdentityErrors.second_factor_refused,
      IdentityErrors.too_many_attempts,
      IdentityErrors.too_many_tokens,
    ],
    prepare: ({ queries, clock, input: { email, password, totp } }) =>
      signInForToken(
        { queries, clock, keys: deps.keys },
        { email, password, address: deps.clientAddress() },
        totp,
      ),
    async handle({ tx, clock, random, input, prepared: personId }) {
      const lifetimeMs = (input.lifetimeSeconds ?? limits.personalTokenMs / secondMs) * secondMs
      const { name, audiences } = input
      const created = await createPersonalToken(
        tx,
        { clock, random },
        { personId, name, audiences, lifetimeMs },
      )
      const { id, token, createdAtMs, expiresAtMs } = created
      return { id, token, name, audiences, createdAt: toIso(createdAtMs), expiresAt: toIso(expiresAtMs) }
    },
  })
}

const listOwnTokens = defineOperation({
  id: 'personal_token.list',
  summary: 'Your live personal tokens',
  method: 'GET',
  path: '/account/v1/tokens',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object(pageInput('personalToken')),
  output: pageOf(PersonalToken, limits.pageSizeMax),
  errors: [],
  async handle({ queries, clock, caller, input }) {
    const { personId } = personOf(caller)
    const rows = await listTokens(queries, personId, pageRequestOf(input), clock.nowMs())
    return toPage(input, rows, { cursorOf: ({ id }) => id, toItem: toToken })
  },
})

const revokeOwnToken = defineOperation({
  id: 'personal_token.revoke',
  summary: 'End a personal token at once',
  method: 'DELETE',
  path: '/account/v1/tokens/{tokenId}',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'write',
  input: schema.object({ tokenId: idOf('personalToken') }),
  output: schema.nothing,
  errors: [IdentityErrors.token_not_found],
  async handle({ tx, clock, caller, input }) {
    const revoked = await revokeToken(tx, personOf(caller).personId, input.tokenId, clock.nowMs())
    if (!revoked) throw IdentityErrors.token_not_found()
    return undefined
  },
})

const Session = schema.named(
  'Session',
  schema.object({
    id: idOf('session'),
    userAgent: schema.string({ maxLength: userAgentLengthMax }),
    current: schema.boolean({ description: 'Whether it is the one this request came with' }),
    createdAt: schema.time(),
    seenAt: schema.time({ description: 'Exact to a minute' }),
    expiresAt: schema.time(),
  }),
)

function toSession(row: SessionRow, currentId: string | null) {
  return {
    id: row.id,
    userAgent: row.user_agent,
    current: row.id === currentId,
    createdAt: toIso(row.created_at.getTime()),
    seenAt: toIso(row.seen_at.getTime()),
    expiresAt: toIso(row.expires_at.getTime()),
  }
}

const listOwnSessions = defineOperation({
  id: 'session.list',
  summary: 'The browsers in which you are signed in',
  method: 'GET',
  path: '/account/v1/sessions',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object(pageInput('session')),
  output: pageOf(Session, limits.pageSizeMax),
  errors: [],
  async handle({ queries, clock, caller, input }) {
    const { personId, sessionId } = personOf(caller)
    const rows = await listSessions(queries, personId, pageRequestOf(input), clock.nowMs())
    return toPage(input, rows, { cursorOf: ({ id }) => id, toItem: (row) => toSession(row, sessionId) })
  },
})

const endOwnSession = defineOperation({
  id: 'session.end',
  summary: 'Sign a browser out at once',
  method: 'DELETE',
  path: '/account/v1/sessions/{sessionId}',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'write',
  input: schema.object({ sessionId: idOf('session') }),
  output: schema.nothing,
  errors: [IdentityErrors.session_not_found],
  async handle({ tx, clock, caller, input }) {
    const ended = await endSessionById(tx, personOf(caller).personId, input.sessionId, clock.nowMs())
    if (!ended) throw IdentityErrors.session_not_found()
    return undefined
  },
})

const endOwnOtherSessions = defineOperation({
  id: 'session.end_others',
  summary: 'Sign every other browser out at once',
  description: 'With a personal token there is no session to be kept: all of them end.',
  method: 'POST',
  path: '/account/v1/sessions:end-others',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'write',
  input: schema.object({}),
  output: schema.object({ ended: schema.integer({ minimum: 0, maximum: limits.sessionsMax }) }),
  errors: [],
  async handle({ tx, clock, caller }) {
    const { personId, sessionId } = personOf(caller)
    return { ended: await endOtherSessions(tx, personId, { sessionId, nowMs: clock.nowMs() }) }
  },
})

/** A person's credentials: personal tokens and sessions. */
export function signInOperations(deps: IdentityDependencies): readonly Operation[] {
  return [
    createToken(deps),
    listOwnTokens,
    revokeOwnToken,
    listOwnSessions,
    endOwnSession,
    endOwnOtherSessions,
  ]
}
