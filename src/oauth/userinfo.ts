import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Log, toProblem } from '../kernel/index.ts'
import type { AccessTokens } from './token/access-token.ts'

export interface UserinfoDependencies {
  readonly accessTokens: AccessTokens
  readonly log: Log
  subjectFor(appId: string, accountId: string): string
}

function send(response: ServerResponse, status: number, body: object, challenge?: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  })
  response.end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, error: string, more = ''): void {
  send(response, status, { error }, `Bearer error="${error}"${more}`)
}

/**
 * OpenID Connect Core 1.0 §5.3: the claims about the person an access token is of. There is one: who they are to this
 * app. The library's own endpoint answers only tokens of no resource, and all of ours are of the API.
 */
export function makeUserinfo({ accessTokens, log, subjectFor }: UserinfoDependencies) {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token] = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.authorization ?? '') ?? []
    // RFC 6750 §3: without a credential the answer "SHOULD NOT include an error code".
    if (token === undefined) return send(response, 401, {}, 'Bearer')
    const found = await accessTokens.find(token)
    if (found === null) return refuse(response, 401, 'invalid_token')
    const { personId, appId } = found.caller
    if (personId === null || !found.openId)
      return refuse(response, 403, 'insufficient_scope', ', scope="openid"')
    send(response, 200, { sub: subjectFor(appId, personId) })
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'oauth.userinfo_failed')
      const problem = toProblem(error)
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify(problem))
    })
  }
}
