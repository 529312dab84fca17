import type { CanBePromise, KoaContextWithOIDC } from 'oidc-provider'
import { isWellFormedToken, type Queries } from '../../kernel/index.ts'
import { requireProof } from '../dpop/binding.ts'
import { asksForOpenId } from '../grant/access-type.ts'
import { type EndDependencies, endReused } from '../grant/end-authorization.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import { errors } from '../library.ts'
import { replayRotation, sealAnswer, type TokenAnswer } from './replay-rotation.ts'
import { findRotation, type NewToken, type Rotation, writeTokens } from './store.ts'
import { inUnitOfWork, type UnitOfWork } from './unit-of-work.ts'

export interface TokenEndpointDependencies extends EndDependencies {
  readonly queries: Queries
  readonly keys: OAuthKeys
  readonly resource: string
}

/** A grant type's handler; registered with `next` as second parameter, which no handler of ours uses. */
export type GrantHandler = (ctx: KoaContextWithOIDC) => CanBePromise<void>

function newUnitOfWork(ctx: KoaContextWithOIDC, rotation: Rotation | null): UnitOfWork {
  const { scope } = ctx.oidc.params ?? {}
  return {
    issued: [],
    consumed: null,
    grant: rotation?.grant ?? null,
    extra: {},
    openId: scope === undefined || asksForOpenId({ scope }),
    refreshToken: rotation?.token ?? null,
  }
}

function refreshTokenOf(issued: readonly NewToken[]): NewToken | null {
  return issued.find(({ kind }) => kind === 'RefreshToken') ?? null
}

/** The library tells the scope of the API alone; a token that comes with an ID token has openid, too. */
function openIdScope({ id_token: idToken, scope = '' }: TokenAnswer): Pick<TokenAnswer, 'scope'> {
  return idToken === undefined ? {} : { scope: `openid ${scope}`.trim() }
}

/**
 * Runs the handler and then writes, in one statement, what it used up and issued. Not written: the predecessor had been
 * used up meanwhile. A handler that throws leaves nothing behind either.
 */
async function runAndCommit(
  deps: TokenEndpointDependencies,
  ctx: KoaContextWithOIDC,
  handler: GrantHandler,
  options: {
    readonly rotation?: Rotation | null
    readonly sealBox?: (answer: TokenAnswer) => Promise<string>
  },
): Promise<{ readonly written: boolean; readonly grantId: string | null }> {
  const unit = newUnitOfWork(ctx, options.rotation ?? null)
  await inUnitOfWork(unit, async () => {
    await handler(ctx)
  })
  const { grant, issued, consumed } = unit
  if (grant !== null) {
    // RFC 6749 §5.1: "The client MUST ignore unrecognized value names in the response." An app's backend learns here
    // for which merchant the tokens are.
    const facts = { merchant_id: grant.merchant_id, installation_id: grant.installation_id }
    const answer = ctx.body as TokenAnswer
    ctx.body = { ...answer, ...facts, ...openIdScope(answer) }
  }
  const refreshToken = refreshTokenOf(issued)
  const written = await writeTokens(deps.queries, {
    issued,
    familyId: options.rotation?.token.family_id ?? refreshToken?.hash ?? null,
    consumed,
    successor: consumed === null || options.sealBox === undefined ? null : (refreshToken?.hash ?? null),
    replayBox: (await options.sealBox?.(ctx.body as TokenAnswer)) ?? null,
    nowMs: deps.clock.nowMs(),
  })
  return { written, grantId: grant?.id ?? null }
}

/**
 * Refresh with exactly one successor: of many attempts with one refresh token, on however many processes, one rotates
 * it; the others, and retries whose answer was lost, get the very same pair until the successor is used.
 */
function refreshHandler(deps: TokenEndpointDependencies, handler: GrantHandler): GrantHandler {
  const { queries, keys, clock } = deps
  const rotating = new Map<string, Promise<boolean>>()

  async function rotate(ctx: KoaContextWithOIDC, value: string, rotation: Rotation | null): Promise<boolean> {
    const sealBox = (answer: TokenAnswer) => sealAnswer(deps, ctx, value, answer)
    return (await runAndCommit(deps, ctx, handler, { rotation, sealBox })).written
  }

  /** One leader per process and token; whoever comes meanwhile waits for it instead of doing the work in vain. */
  async function rotateOnce(ctx: KoaContextWithOIDC, value: string, rotation: Rotation): Promise<boolean> {
    const key = rotation.token.hash
    const leader = rotating.get(key)
    if (leader !== undefined) {
      const rotated = await leader.catch(() => false)
      if (rotated) return false
    }
    const attempt = rotate(ctx, value, rotation).finally(() => {
      if (rotating.get(key) === attempt) rotating.delete(key)
    })
    rotating.set(key, attempt)
    return attempt
  }

  /** The token with its rotation, when this client may use it. */
  async function findOwn(ctx: KoaContextWithOIDC, value: string): Promise<Rotation | null> {
    if (!isWellFormedToken('refreshToken', value)) return null
    const found = await findRotation(queries, hashValue(keys, value), clock.nowMs())
    return found?.token.app_id === ctx.oidc.client?.clientId ? found : null
  }

  return async (ctx) => {
    const value = String(ctx.oidc.params?.['refresh_token'] ?? '')
    const found = await findOwn(ctx, value)
    if (found === null) {
      // Missing, unknown or somebody else's: the library finds the words, which are the same for the last two.
      await rotate(ctx, value, null)
      return
    }
    if (found.token.consumed_at === null && (await rotateOnce(ctx, value, found))) return
    const rotated = await findOwn(ctx, value)
    if (rotated === null) throw new errors.InvalidGrant('refresh token not found')
    await replayRotation(deps, ctx, value, rotated)
  }
}

/** Wraps a grant type of the library so that its reads and writes become one unit of work. */
export function wrapGrantType(
  deps: TokenEndpointDependencies,
  name: string,
  handler: GrantHandler,
): GrantHandler {
  const handle = name === 'refresh_token' ? refreshHandler(deps, handler) : onceHandler(deps, name, handler)
  return (ctx) => {
    requireProof(ctx)
    return handle(ctx)
  }
}

function onceHandler(deps: TokenEndpointDependencies, name: string, handler: GrantHandler): GrantHandler {
  return async (ctx) => {
    const { written, grantId } = await runAndCommit(deps, ctx, handler, {})
    if (written) return
    ctx.body = undefined
    // Of several at once the library has seen each one's code unused: which is why it has ended nothing.
    if (name === 'authorization_code' && grantId !== null) await endReused(deps, grantId, 'code')
    throw new errors.InvalidGrant('already used')
  }
}
