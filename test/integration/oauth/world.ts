import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import * as oauth from 'oauth4webapi'
import { hostCapabilities } from '../../../src/capabilities/index.ts'
import { type AuthorizationDetail, makeBoundTypes } from '../../../src/capability/index.ts'
import { createPersonalToken, networkOf } from '../../../src/identity/index.ts'
import {
  type Clock,
  limits,
  mintToken,
  newId,
  type Random,
  systemRandom,
  toDate,
} from '../../../src/kernel/index.ts'
import { notifyReuse } from '../../../src/notices/index.ts'
import {
  type AuthorizationServer,
  makeAuthorizationServer,
  makeClientSecretHash,
} from '../../../src/oauth/index.ts'
import { openTestDatabase, quietLog, type TestDatabase } from '../../support/database.ts'

/** The system's clock, which tests may set forward. */
interface MovableClock extends Clock {
  aheadMs: number
}

function movableClock(): MovableClock {
  return {
    aheadMs: 0,
    nowMs() {
      return Date.now() + this.aheadMs
    },
  }
}

export const secretKey = 'a secret key for tests that has enough characters'
export const scopes = ['order:read', 'order:write', 'order:refund', 'customer:read']
export const boundTypes = makeBoundTypes(hostCapabilities)
export const redirectUri = 'https://app.example.com/callback'

export interface World {
  readonly database: TestDatabase
  readonly server: AuthorizationServer
  readonly publicUrl: string
  /** Where it listens: the same, unless a proxy stands before it. */
  readonly address: string
  readonly clock: MovableClock
  readonly as: oauth.AuthorizationServer
  close(): Promise<void>
}

const random: Random = systemRandom

/** Allows http, which only the machine's own loopback is. */
export const http = { [oauth.allowInsecureRequests]: true } as const

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface ProcessOptions {
  readonly secretKey?: string
  readonly publicUrl?: string
  /** Scopes that need a token bound to a key; default: none. */
  readonly privateScopes?: readonly string[]
}

/**
 * One process of the platform as far as the authorization server can tell: Express around it, and pages that do what
 * the console's do (`?person=` stands for the console's session, the query names what the merchant agrees to).
 */
export async function openProcess(
  database: TestDatabase,
  clock: MovableClock,
  options: ProcessOptions = {},
): Promise<Omit<World, 'database'>> {
  const app = express()
  const listener = createServer(app)
  const address = await listen(listener)
  const publicUrl = options.publicUrl ?? address
  const closeListener = () =>
    new Promise<void>((resolve) => {
      listener.closeAllConnections()
      listener.close(() => resolve())
    })
  const server = await makeAuthorizationServer({
    db: database.db,
    secretKey: options.secretKey ?? secretKey,
    publicUrl,
    supportedScopes: () => scopes,
    privateScopes: () => options.privateScopes ?? [],
    boundTypes,
    // Counting is HTTP's: here everybody may.
    quotas: { client: () => Promise.resolve(), network: () => Promise.resolve() },
    networkOf,
    onRefreshTokenReused: (tx, reuse) => notifyReuse(tx, reuse, { clock, random }),
    issuePersonalToken: (tx, request) =>
      createPersonalToken(tx, { clock, random }, { ...request, lifetimeMs: limits.personalTokenMs }),
    renderError: (error, locale) =>
      `<!doctype html><html lang="${locale}"><p>${error.code} ${error.message}</p>`,
    clock,
    random,
    log: quietLog,
  }).catch(async (error: unknown) => {
    await closeListener()
    throw error
  })

  app.use((request, response, next) => {
    if (server.matches(request.path)) server.handle(request, response)
    else next()
  })
  const textOf = (value: unknown) => String(value ?? '')
  const listOf = (value: unknown) =>
    textOf(value)
      .split(' ')
      .filter((item) => item !== '')
  app.get(['/sign-in/:uid', '/consent/:uid'], async (request, response) => {
    response.json(await server.findInteraction(request, response))
  })
  app.post('/sign-in/:uid', async (request, response) => {
    const personId = textOf(request.query['person'])
    response.redirect(
      303,
      await server.resumeSignIn(request, response, { uid: request.params.uid, personId }),
    )
  })
  app.post('/consent/:uid/deny', async (request, response) => {
    response.redirect(303, await server.denyConsent(request, response))
  })
  app.post('/consent/:uid', async (request, response) => {
    const { query } = request
    const location = await database.db.tx((tx) =>
      server.completeAuthorization(tx, {
        uid: request.params.uid,
        personId: textOf(query['person']),
        merchantId: textOf(query['merchant']),
        installationId: textOf(query['installation']),
        granted: listOf(query['granted']),
        refused: listOf(query['refused']),
        credentialId: textOf(query['credential']) || null,
        details: JSON.parse(textOf(query['details']) || '[]') as readonly AuthorizationDetail[],
      }),
    )
    response.redirect(303, location)
  })
  app.use(((error, _request, response, _next) => {
    response.status(error.status ?? 500).json({ code: error.code, message: error.message })
  }) as express.ErrorRequestHandler)

  const issuer = new URL(publicUrl)
  const metadata = await fetch(`${address}/.well-known/oauth-authorization-server`)
  const published = await oauth.processDiscoveryResponse(issuer, metadata)
  // A second process behind the same public address is reached at its own.
  const as = { ...published, token_endpoint: `${address}/oauth/token` }
  return { server, publicUrl, address, clock, as, close: closeListener }
}

export async function openWorld(options: ProcessOptions = {}): Promise<World> {
  const clock = movableClock()
  const database = await openTestDatabase({ clock })
  const process = await openProcess(database, clock, options)
  return {
    ...process,
    database,
    async close() {
      await process.close()
      await database.close()
    },
  }
}

// ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface TestApp {
  readonly appId: string
  readonly publisherId: string
  readonly secret: string
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
}

export interface AppOptions {
  readonly appClass?: 'backend' | 'mini-program' | 'both'
  /** Absent: nothing has been released. */
  readonly manifest?: object | null
}

function idOf(world: Pick<World, 'clock'>, kind: Parameters<typeof newId>[0]): string {
  return newId(kind, { clock: world.clock, random })
}

export function manifestOf(
  scopeNames: readonly string[],
  redirectUris: readonly string[] = [redirectUri],
): object {
  const [first, ...others] = scopeNames.map((name) => ({ name, purpose: { en: 'because' } }))
  return {
    stoa_redirect_uris: redirectUris,
    stoa_scopes: { required: first === undefined ? [] : [first], optional: others },
  }
}

export async function addSecret(
  world: World,
  appId: string,
  expiresAtMs: number | null = null,
): Promise<string> {
  const secret = mintToken('clientSecret', random)
  await world.database.db.queries.credential.create({
    data: {
      id: idOf(world, 'credential'),
      appId,
      publisherId: 'pub_any',
      kind: 'secret',
      secretHash: makeClientSecretHash(secretKey)(secret),
      hint: secret.slice(-4),
      createdBy: 'per_any',
      createdAt: toDate(world.clock.nowMs()),
      expiresAt: expiresAtMs === null ? null : toDate(expiresAtMs),
    },
  })
  return secret
}

export async function release(world: World, appId: string, code: number, manifest: object): Promise<string> {
  const q = world.database.db.queries
  const at = toDate(world.clock.nowMs())
  const versionId = idOf(world, 'version')
  await q.version.create({
    data: {
      ...{
        id: versionId,
        appId,
        publisherId: 'pub_any',
        code,
        name: `1.0.${code}`,
        state: 'released',
        manifest,
      },
      ...{
        packageSha256: 'ab'.repeat(32),
        packageBytes: 1,
        uploadedBy: 'per_any',
        createdAt: at,
        stateChangedAt: at,
      },
    },
  })
  const releaseId = idOf(world, 'release')
  await q.release.create({
    data: {
      ...{ id: releaseId, appId, publisherId: 'pub_any', versionId, cohort: 'all', percentage: 100 },
      ...{ state: 'active', createdBy: 'per_any', createdAt: at },
    },
  })
  return releaseId
}

export async function addApp(world: World, options: AppOptions = {}): Promise<TestApp> {
  const q = world.database.db.queries
  const createdAt = toDate(world.clock.nowMs())
  const publisherId = idOf(world, 'publisher')
  await q.publisher.create({ data: { id: publisherId, name: 'Publisher', createdBy: 'per_any', createdAt } })
  const appId = idOf(world, 'app')
  await q.app.create({
    data: {
      ...{
        id: appId,
        publisherId,
        name: 'App',
        appClass: options.appClass ?? 'backend',
        visibility: 'public',
      },
      ...{ createdBy: 'per_any', createdAt },
    },
  })
  const secret = await addSecret(world, appId)
  const manifest = options.manifest === undefined ? manifestOf(scopes) : options.manifest
  if (manifest !== null) await release(world, appId, 1, manifest)
  const auth = oauth.ClientSecretBasic(secret)
  return { appId, publisherId, secret, client: { client_id: appId }, auth }
}

export interface TestInstallation {
  readonly merchantId: string
  readonly installationId: string
}

export async function install(
  world: World,
  appId: string,
  granted: readonly string[] = scopes,
): Promise<TestInstallation> {
  const q = world.database.db.queries
  const at = toDate(world.clock.nowMs())
  const merchantId = idOf(world, 'merchant')
  await q.merchant.create({ data: { id: merchantId, kind: 'shop', name: 'Shop', createdAt: at } })
  const installationId = idOf(world, 'installation')
  await q.installation.create({
    data: { id: installationId, merchantId, appId, state: 'active', installedBy: 'per_any', installedAt: at },
  })
  await q.grant.create({
    data: {
      ...{
        id: idOf(world, 'grant'),
        merchantId,
        appId,
        installationId,
        versionId: 'ver_any',
        consentId: 'con_any',
      },
      ...{ granted: [...granted], required: [...granted], optional: [], refused: [], bounds: [] },
      ...{ epoch: 1, createdAt: at, updatedAt: at },
    },
  })
  return { merchantId, installationId }
}

/** A rule of the platform against an app, a publisher or a merchant. */
export async function addRule(
  world: World,
  rule: {
    readonly effect: string
    readonly appId?: string
    readonly publisherId?: string
    readonly merchantId?: string
    readonly scope?: string
  },
): Promise<string> {
  const id = idOf(world, 'rule')
  await world.database.db.queries.rule.create({
    data: {
      ...{ id, ...rule, reasonCode: 'test', message: {}, createdBy: 'per_any' },
      createdAt: toDate(world.clock.nowMs()),
    },
  })
  return id
}
