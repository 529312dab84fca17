import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type AppCaller,
  type BoundTypes,
  type Capability,
  CapabilityErrors,
  defineCapability,
} from '../capability/index.ts'
import { afterCommit, type Db } from '../db/index.ts'
import {
  type Clock,
  type Log,
  mintToken,
  type Queries,
  type Random,
  type StoaError,
  type TokenKind,
  type Transaction,
  toProblem,
} from '../kernel/index.ts'
import { makeAdapter } from './adapter.ts'
import { authorizationOperations } from './authorization/operations.ts'
import type { RequestQuotas } from './client/count-requests.ts'
import { makeNoteUse } from './client/note-use.ts'
import { makeConfiguration } from './configuration.ts'
import {
  completeDevice,
  findDeviceRequest,
  findWaitingRequest,
  type Typist,
} from './device/device-request.ts'
import type { DeviceGrantDependencies } from './device/grant-device.ts'
import { deviceOperations } from './device/operations.ts'
import { type Presented, presentToken } from './dpop/present-token.ts'
import { makeEngine } from './engine.ts'
import { sessionTokenOperations } from './exchange/operations.ts'
import { completeAuthorization } from './grant/complete-authorization.ts'
import type { EndDependencies } from './grant/end-authorization.ts'
import type { Agreement } from './grant/make-grant.ts'
import { subjectFor } from './grant/subject.ts'
import { type AuthorizationRequest, findConsentRequest } from './interaction/find-request.ts'
import {
  type BrowserRequest,
  denyConsent,
  findInteraction,
  type Interaction,
  resumeSignIn,
} from './interaction/interaction.ts'
import { deriveOAuthKeys } from './keys.ts'
import { makeEndLeaked } from './leaked/end-leaked.ts'
import type { EndLeaked } from './leaked/leak.ts'
import { protectedResourceMetadata } from './metadata.ts'
import { makeProvider } from './provider.ts'
import {
  listKeys,
  loadSigningKeys,
  rotateSigningKeys,
  type SigningKeyView,
} from './signing-key/signing-keys.ts'
import { removeRetiredKeys } from './signing-key/store.ts'
import { removeExpired, removeExpiredStates } from './store.ts'
import { makeAccessTokens } from './token/access-token.ts'
import { revokeTokensOfInstallation } from './token/store.ts'
import { throughTransaction } from './token/unit-of-work.ts'
import { removeExpiredUses } from './use-once/store.ts'
import { makeUseOnce } from './use-once/use-once.ts'
import { makeUserinfo } from './userinfo.ts'

export interface AuthorizationServerDependencies {
  readonly db: Db
  /** The platform's secret key; pepper of every hash, seal of the signing keys. */
  readonly secretKey: string
  /** Scheme, host and port by which the world reaches this server, without a trailing slash: the issuer. */
  readonly publicUrl: string
  /** Names of all scopes of the catalogue; asked for at each use, because the catalogue is made later. */
  supportedScopes(): readonly string[]
  /** Those of them that need a token bound to a key. */
  privateScopes(): readonly string[]
  /** Types of authorization details that the host's capabilities know. */
  readonly boundTypes: BoundTypes
  /** A personal token for the command line. */
  readonly issuePersonalToken: DeviceGrantDependencies['issuePersonalToken']
  /** Tells developer and merchant that a refresh token was used twice. */
  readonly onRefreshTokenReused: EndDependencies['onRefreshTokenReused']
  /** Counts requests, and refuses what is too much. */
  readonly quotas: RequestQuotas
  /** The network an address belongs to. */
  networkOf(address: string): string
  /** A whole HTML document for an error that a person sees; sent with a strict policy. */
  renderError(error: StoaError, locale: 'en' | 'zh-CN'): string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface AuthorizationServer {
  /** Whether the address is one of this server's. Only the exact spelling is. */
  matches(path: string): boolean
  /** Answers such a request; before any body parser. */
  handle(request: ServedRequest, response: ServerResponse): void
  /**
   * Who presents this access token, as a bearer token or with a proof; null when it is not ours or ended. Right within
   * 3 s after any change.
   * @throws oauth.token_bound, oauth.token_not_bound, oauth.dpop_key_differs, oauth.dpop_proof_refused
   */
  verifyAccessToken(token: string, presented?: Presented | null): Promise<AppCaller | null>
  /** Whom the token was given to, for a connection at whose beginning it was presented; null when it has ended. */
  holderOf(token: string): Promise<AppCaller | null>
  findInteraction(request: BrowserRequest, response: ServerResponse): Promise<Interaction | null>
  /** @throws oauth.interaction_not_found */
  resumeSignIn(
    request: BrowserRequest,
    response: ServerResponse,
    input: { readonly uid: string; readonly personId: string },
  ): Promise<string>
  /** @throws oauth.interaction_not_found */
  denyConsent(request: BrowserRequest, response: ServerResponse): Promise<string>
  /** @throws oauth.interaction_not_found */
  completeAuthorization(tx: Transaction, agreement: Agreement & { readonly uid: string }): Promise<string>
  /** The same for a device that waits for the code a person has typed. @throws oauth.user_code_not_found */
  completeDevice(tx: Transaction, agreement: Agreement & { readonly userCode: string }): Promise<void>
  /** What the app asks for in the request that waits for this person. @throws oauth.interaction_not_found */
  findConsentRequest(
    q: Queries,
    which: { readonly uid: string; readonly personId: string },
  ): Promise<AuthorizationRequest>
  /** What waits behind a typed code; wrong ones are counted. @throws oauth.user_code_not_found, oauth.too_many_user_codes */
  findDeviceRequest(typist: Typist, userCode: string): Promise<AuthorizationRequest>
  /** The same inside a transaction, where nothing is counted. @throws oauth.user_code_not_found */
  findWaitingRequest(tx: Transaction, userCode: string): Promise<AuthorizationRequest>
  /** Ends every token of an installation; the caller ends the installation in the same transaction. */
  revokeInstallation(tx: Transaction, merchantId: string, installationId: string): Promise<void>
  /** RFC 9728 metadata of `/v1`. */
  protectedResourceMetadata(): unknown
  /** What people and the host do about authorizations. */
  readonly capability: Capability
  /** How a secret or token that was found in the open ends. */
  readonly endLeaked: Readonly<Partial<Record<TokenKind, EndLeaked>>>
  /** Next, current and previous, the one that signs first. */
  listSigningKeys(): Promise<readonly SigningKeyView[]>
  /** Makes the next key; every process takes it up by itself. */
  rotateSigningKeys(tx: Transaction): Promise<readonly SigningKeyView[]>
  /** Deletes expired rows; to be called now and then. */
  removeExpired(): Promise<void>
  /** Forgets proofs that are too old to be used; to be called every `limits.useOnceSweepMs`. */
  removeExpiredUses(): Promise<void>
}

/** Express gives the client's address, with its proxies believed as configured. */
export type ServedRequest = IncomingMessage & { readonly ip?: string | undefined }

const routes: readonly (readonly [pattern: RegExp, methods: readonly string[]])[] = [
  [/^\/oauth\/authorize(\/[\w-]+)?$/, ['GET']],
  [/^\/oauth\/(token|par|revoke|introspect|device_authorization|end_session\/confirm)$/, ['POST', 'OPTIONS']],
  [/^\/oauth\/userinfo$/, ['GET', 'POST']],
  [/^\/oauth\/jwks$/, ['GET', 'HEAD', 'OPTIONS']],
  [/^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/, ['GET', 'HEAD', 'OPTIONS']],
]

function methodsOf(path: string): readonly string[] | null {
  return routes.find(([pattern]) => pattern.test(path))?.[1] ?? null
}

function refuseMethod(response: ServerResponse, methods: readonly string[]): void {
  const problem = toProblem(CapabilityErrors.method_not_allowed())
  response.writeHead(problem.status, {
    allow: methods.join(', '),
    'content-type': 'application/problem+json',
  })
  response.end(JSON.stringify(problem))
}

/**
 * The library builds addresses from the request's Host. The one it sees is ours, whatever the request said:
 * endpoints, the issuer and the way back from a page cannot be led astray (RFC 9700 §4, host header poisoning).
 */
function asPublic(request: ServedRequest, publicUrl: URL): void {
  request.headers.host = publicUrl.host
  request.headers['x-forwarded-proto'] = publicUrl.protocol.slice(0, -1)
  request.headers['x-forwarded-for'] = request.ip ?? request.socket.remoteAddress ?? ''
  delete request.headers['x-forwarded-host']
}

/** What the face below is made of. */
async function makeParts(deps: AuthorizationServerDependencies) {
  const { db, clock, random, log, supportedScopes, boundTypes } = deps
  const { queries } = db
  const issuer = new URL(deps.publicUrl).origin
  const resource = `${issuer}/v1`
  const keys = deriveOAuthKeys(deps.secretKey)
  const accessTokens = makeAccessTokens({ queries, keys, boundTypes, clock })
  const metadata = { issuer, resource, supportedScopes }
  const useOnce = makeUseOnce({ queries, keys })
  const noteUse = makeNoteUse({ queries, clock })
  const adapter = {
    ...{ queries, keys, clock, accessTokens, resource, supportedScopes, boundTypes },
    placeholderSecret: mintToken('clientSecret', random),
  }
  const { onRefreshTokenReused } = deps
  const tokenEndpoint = { db, queries, keys, clock, log, resource, accessTokens, onRefreshTokenReused }
  const ids = { clock, random }
  const exchange = { queries, keys, clock, resource, issuer, boundTypes, ids }
  const subject = (appId: string, accountId: string) => subjectFor(keys, appId, accountId)
  const signingKeyDeps = { db, sealingKey: keys.signingKeys, clock, log }
  const engine = await makeEngine({
    loadKeys: () => loadSigningKeys(signingKeyDeps),
    makeProvider(signingKeys) {
      const configuration = makeConfiguration({
        ...{ publicUrl: issuer, resource, signingKeys, clock, cookieKey: keys.cookies },
        ...{ accessTokens, noteUse, boundTypes, subjectFor: subject },
        privateScopes: deps.privateScopes,
        makeAdapter: (model) => makeAdapter(model, adapter),
        renderError: deps.renderError,
      })
      return makeProvider(issuer, configuration, {
        ...{ keys, random, log, tokenEndpoint, exchange, useOnce, noteUse, metadata, quotas: deps.quotas },
        device: { db, keys, clock, issuePersonalToken: deps.issuePersonalToken },
      })
    },
    ...{ clock, log },
  })
  const grantContext = () => ({ provider: engine.provider, resource, ids })
  const present = (token: string, presented: Presented | null) =>
    presentToken({ accessTokens, useOnce, clock }, token, presented)
  const userinfo = makeUserinfo({
    ...{ accessTokens, present, issuer, log, subjectFor: subject },
    quotas: deps.quotas,
  })
  const device = { queries, keys, clock, networkOf: deps.networkOf }
  return { accessTokens, device, engine, grantContext, keys, metadata, present, signingKeyDeps, userinfo }
}

/**
 * The authorization server. Makes the first signing key where there is none.
 * @throws oauth.secret_key_wrong
 */
export async function makeAuthorizationServer(
  deps: AuthorizationServerDependencies,
): Promise<AuthorizationServer> {
  const { db, clock, random } = deps
  const { queries } = db
  const publicUrl = new URL(deps.publicUrl)
  const { accessTokens, device, engine, grantContext, keys, metadata, present, signingKeyDeps, userinfo } =
    await makeParts(deps)

  return {
    matches: (path) => methodsOf(path) !== null,
    handle(request, response) {
      const [path = ''] = (request.url ?? '').split('?')
      const methods = methodsOf(path) ?? []
      if (!methods.includes(request.method ?? '')) return refuseMethod(response, methods)
      if (path === '/oauth/userinfo') return userinfo(request, response)
      asPublic(request, publicUrl)
      void engine.answer(request, response)
    },
    verifyAccessToken: (token, presented = null) => present(token, presented),
    holderOf: async (token) => (await accessTokens.holderOf(token))?.caller ?? null,
    findInteraction: (request, response) => findInteraction(engine.provider, request, response),
    resumeSignIn: (request, response, input) => resumeSignIn(engine.provider, request, response, input),
    denyConsent: (request, response) => denyConsent(engine.provider, request, response),
    completeAuthorization: (tx, agreement) => completeAuthorization(grantContext(), tx, agreement),
    completeDevice: (tx, agreement) => completeDevice(device, grantContext(), tx, agreement),
    findConsentRequest: (q, which) => throughTransaction(q, () => findConsentRequest(engine.provider, which)),
    findDeviceRequest: (typist, userCode) => findDeviceRequest(device, typist, userCode),
    findWaitingRequest: (tx, userCode) => findWaitingRequest(device, tx, userCode),
    capability: defineCapability({
      id: 'authorization',
      summary: 'Devices, session tokens and authorizations',
      operations: [
        ...authorizationOperations,
        ...deviceOperations(device),
        ...sessionTokenOperations(() => ({ context: grantContext(), keys, random })),
      ],
    }),
    async revokeInstallation(tx, merchantId, installationId) {
      await revokeTokensOfInstallation(tx, merchantId, installationId, clock.nowMs())
      afterCommit(tx, () => accessTokens.forget({ installationId }))
    },
    protectedResourceMetadata: () => protectedResourceMetadata(metadata),
    endLeaked: makeEndLeaked({ keys, accessTokens }),
    listSigningKeys: () => listKeys(signingKeyDeps),
    rotateSigningKeys: (tx) => rotateSigningKeys(tx, signingKeyDeps),
    async removeExpired() {
      await removeExpired(queries, clock.nowMs())
      await removeRetiredKeys(queries, clock.nowMs())
    },
    async removeExpiredUses() {
      await removeExpiredUses(queries, clock.nowMs())
      await removeExpiredStates(queries, clock.nowMs())
    },
  }
}
