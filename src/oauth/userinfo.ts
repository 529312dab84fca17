import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AppCaller } from '../capability/index.ts'
import { type Log, StoaError, toProblem } from '../kernel/index.ts'
import type { RequestQuotas } from './client/count-requests.ts'
import { signatureAlgorithms } from './dpop/algorithms.ts'
import type { Presented } from './dpop/present-token.ts'
import type { AccessTokens } from './token/access-token.ts'

export interface UserinfoDependencies {
  readonly accessTokens: AccessTokens
  /** Who presents the token; throws when it is bound to a key that was not proven. */
  present(token: string, presented: Presented | null): Promise<AppCaller | null>
  readonly issuer: string
  readonly log: Log
  readonly quotas: Pick<RequestQuotas, 'client'>
  subjectFor(appId: string, accountId: string): string
}

const algorithms = `algs="${signatureAlgorithms.join(' ')}"`

function send(response: ServerResponse, status: number, body: object, challenge?: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  })
  response.end(JSON.stringify(body))
}

interface Refusal {
  readonly status: number
  readonly error: string
  /** More of the challenge's parameters. */
  readonly more?: string
}

/**
 * RFC 9449 §7.2: "If the mechanism used to attempt authentication could be established unambiguously, then the
 * corresponding challenge SHOULD be used to deliver error information".
 */
function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { status, error, more = '' } = refusal
  const parameters = `error="${error}"${more}`
  const isDpop = /^dpop /i.test(request.headers.authorization ?? '')
  const challenge = isDpop ? `DPoP ${parameters}, ${algorithms}` : `Bearer ${parameters}`
  send(response, status, { error }, challenge)
}

const invalidToken: Refusal = { status: 401, error: 'invalid_token' }
const missingScope: Refusal = { status: 403, error: 'insufficient_scope', more: ', scope="openid"' }

interface Credential {
  readonly token: string
  /** How the token came, when not as a bearer token. */
  readonly presented: Presented | null
}

function credentialOf({ headers, method = '' }: IncomingMessage, url: string): Credential | null {
  const [, scheme, token] =
    /^(Bearer|DPoP) +([A-Za-z0-9\-._~+/]+=*)$/i.exec(headers.authorization ?? '') ?? []
  if (scheme === undefined || token === undefined) return null
  if (scheme.toLowerCase() === 'bearer') return { token, presented: null }
  const { dpop } = headers
  return { token, presented: { proof: typeof dpop === 'string' ? dpop : undefined, method, url } }
}

/**
 * OpenID Connect Core 1.0 §5.3: the claims about the person an access token is of. There is one: who they are to this
 * app. The library's own endpoint answers only tokens of no resource, and all of ours are of the API.
 */
export function makeUserinfo(deps: UserinfoDependencies) {
  const { accessTokens, present, issuer, log, quotas, subjectFor } = deps

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const credential = credentialOf(request, `${issuer}/oauth/userinfo`)
    // RFC 6750 §3: without a credential the answer "SHOULD NOT include an error code".
    if (credential === null) return send(response, 401, {}, `Bearer, DPoP ${algorithms}`)
    const { token, presented } = credential
    const caller = await present(token, presented)
    const holder = caller === null ? null : await accessTokens.holderOf(token)
    if (caller === null || holder === null) return refuse(request, response, invalidToken)
    const { personId, appId } = caller
    await quotas.client(response, appId)
    if (personId === null || !holder.openId) return refuse(request, response, missingScope)
    send(response, 200, { sub: subjectFor(appId, personId) })
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      const problem = toProblem(error)
      if (error instanceof StoaError && problem.status === 429) {
        for (const [name, value] of Object.entries(error.options.headers ?? {}))
          response.setHeader(name, value)
        return send(response, 429, { error: 'temporarily_unavailable', error_description: error.message })
      }
      // A token whose key was not proven is the caller's business.
      if (problem.status < 500) return refuse(request, response, invalidToken)
      log.error({ err: error }, 'oauth.userinfo_failed')
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify(problem))
    })
  }
}
