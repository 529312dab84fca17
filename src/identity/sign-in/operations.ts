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
import { createPersonalToken } from './create-personal-token.ts'
import { signIn, tooManyAttempts } from './sign-in.ts'
import { userAgentLengthMax } from './start-session.ts'
import {
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
      IdentityErrors.too_many_attempts,
      IdentityErrors.too_many_tokens,
    ],
    async prepare({ queries, clock, input: { email, password } }) {
      const outcome = await signIn({ queries, clock }, { email, password, address: deps.clientAddress() })
      switch (outcome.kind) {
        case 'signed_in':
          return outcome.personId
        case 'throttled':
          throw tooManyAttempts(outcome.retryAfterMs)
        case 'refused':
          throw IdentityErrors.sign_in_refused()
      }
    },
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
    createdAt: schema.time(),
    seenAt: schema.time({ description: 'Exact to a minute' }),
    expiresAt: schema.time(),
  }),
)

function toSession(row: SessionRow) {
  return {
    id: row.id,
    userAgent: row.user_agent,
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
    const { personId } = personOf(caller)
    const rows = await listSessions(queries, personId, pageRequestOf(input), clock.nowMs())
    return toPage(input, rows, { cursorOf: ({ id }) => id, toItem: toSession })
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

/** A person's credentials: personal tokens and sessions. */
export function signInOperations(deps: IdentityDependencies): readonly Operation[] {
  return [createToken(deps), listOwnTokens, revokeOwnToken, listOwnSessions, endOwnSession]
}
