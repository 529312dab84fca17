import type { ServerResponse } from 'node:http'
import type { KoaContextWithOIDC, Provider as ProviderType } from 'oidc-provider'
import { StoaError } from '../../kernel/index.ts'
import { errors, Provider } from '../library.ts'

/** Against whom the requests of programs count. */
export interface RequestQuotas {
  /** An app that has proven its secret or key. @throws what it is to be refused with */
  client(response: ServerResponse, appId: string): Promise<void>
  /** The network of a client that has nothing to prove. @throws what it is to be refused with */
  network(response: ServerResponse): Promise<void>
}

/** The refusal in the words of the library; its header fields go to the answer. */
function toOAuthError(ctx: KoaContextWithOIDC, error: unknown): unknown {
  if (!(error instanceof StoaError)) return error
  ctx.set({ ...error.options.headers })
  const refusal = new errors.CustomOIDCProviderError('temporarily_unavailable', error.message)
  return Object.assign(refusal, { status: error.status, statusCode: error.status })
}

async function count(ctx: KoaContextWithOIDC, counting: Promise<void>): Promise<void> {
  try {
    await counting
  } catch (error) {
    throw toOAuthError(ctx, error)
  }
}

/** Counts a request against an app, at the moment it has proven to be it: before, anybody could have sent it. */
export async function countClient(quotas: RequestQuotas, clientId: string): Promise<void> {
  const { ctx } = Provider
  if (ctx !== undefined) await count(ctx, quotas.client(ctx.res, clientId))
}

/**
 * Counts requests whose client the library has found to be right without asking us: by an assertion, once it is known to
 * be used for the first time, and public ones, which only name themselves.
 */
export function countRequests(provider: ProviderType, quotas: RequestQuotas): void {
  const { unique } = provider.ReplayDetection
  const asserted = new WeakSet<object>()
  provider.ReplayDetection.unique = async (clientId, jti, expiresAtSeconds) => {
    const isUnique = await unique.call(provider.ReplayDetection, clientId, jti, expiresAtSeconds)
    const { ctx } = Provider
    // An assertion is the first thing that a request uses up; a DPoP proof comes after it.
    const isAssertion = ctx?.oidc.client?.clientAuthMethod === 'private_key_jwt' && !asserted.has(ctx)
    if (isUnique && ctx !== undefined && isAssertion) {
      asserted.add(ctx)
      await countClient(quotas, clientId)
    }
    return isUnique
  }

  const find = provider.Client.find.bind(provider.Client)
  const named = new WeakSet<object>()
  provider.Client.find = async (id) => {
    const client = await find(id)
    const { ctx } = Provider
    if (client?.clientAuthMethod !== 'none' || ctx?.method !== 'POST' || named.has(ctx)) return client
    named.add(ctx)
    await count(ctx, quotas.network(ctx.res))
    return client
  }
}
