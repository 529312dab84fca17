import { type HttpClient, limits } from '../../kernel/index.ts'

/** What the client library asks of a fetch. */
interface FetchOptions {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

type Method = 'GET' | 'POST'

function textOf(body: unknown): { readonly body?: string } {
  if (body === undefined || body === null) return {}
  return { body: String(body) }
}

/**
 * A fetch for the client library that goes through the kernel's guard: no address that is not public, no redirect, a
 * bounded answer within a bounded time.
 */
export function makeGuardedFetch(httpClient: HttpClient) {
  return async (url: string, { method, headers, body }: FetchOptions): Promise<Response> => {
    const outcome = await httpClient.send({
      url,
      method: method as Method,
      headers,
      ...textOf(body),
      timeoutMs: limits.providerRequestMs,
      responseBytesMax: limits.providerAnswerBytesMax,
    })
    if (outcome.kind === 'failed') throw new Error(`${outcome.reason}: ${outcome.message}`)
    if (outcome.bodyTruncated) throw new Error(`${new URL(url).host} answers with too much`)
    const isEmpty = outcome.status === 204 || outcome.status === 304
    return new Response(isEmpty ? null : outcome.body, { status: outcome.status, headers: outcome.headers })
  }
}
