import type { SandboxPool } from '../runtime/node/index.ts'
import { accessLogCapability, makeRecorder } from './access-log/index.ts'
import { hostCapabilities } from './capabilities/index.ts'
import {
  type Capability,
  type Catalog,
  type Door,
  makeCatalog,
  makeDoor,
  toDeclarations,
} from './capability/index.ts'
import type { Config } from './config.ts'
import { pages, renderError, renderErrorDocument, styleSheet } from './console/index.ts'
import {
  type Db,
  DbErrors,
  ensurePartitions,
  isReachable,
  makeIdempotencyStore,
  removeExpiredAnswers,
} from './db/index.ts'
import { type Events, makeEvents } from './events/index.ts'
import {
  documentsCapability,
  type HttpApp,
  makeCsrf,
  makeHttpApp,
  makeMetrics,
  type PageRouteDependencies,
} from './http/index.ts'
import {
  endSession,
  findPersonalToken,
  findSession,
  identityCapability,
  signIn,
  startSession,
} from './identity/index.ts'
import { installCapability, resolveInstalledVersion } from './install/index.ts'
import {
  type Clock,
  currentClientAddress,
  currentRequestId,
  deriveKey,
  type HttpClient,
  type Log,
  limits,
  makeHttpClient,
  present,
  type Random,
} from './kernel/index.ts'
import { type AuthorizationServer, makeAuthorizationServer, makeClientSecretHash } from './oauth/index.ts'
import type { Queue } from './queue/index.ts'
import { manifestSchemaDocument, readPackageFiles, registryCapability } from './registry/index.ts'
import { checkCase, makeWakeChecks, reviewCapability, startReviewJobs } from './review/index.ts'
import { makeRulesCheck, RulesErrors } from './rules/index.ts'
import { sandboxSink } from './sandbox/index.ts'
import { webhookSink, webhooksCapability } from './webhooks/index.ts'

export interface PlatformOptions {
  readonly config: Config
  /** Origin, without a trailing slash. */
  readonly publicUrl: string
  readonly version: string
  readonly db: Db
  readonly queue: Queue
  /** Null in a process without the sandbox role: it neither runs handlers nor checks submitted versions. */
  readonly sandbox: SandboxPool | null
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

export interface Platform {
  readonly app: HttpApp
  readonly door: Door
  readonly catalog: Catalog
  readonly db: Db
  readonly events: Events
  /** Runs the automatic checks of a review case now. Needs the sandbox role. */
  checkCase(caseId: string): Promise<void>
  /** Workers begin: relay, drain, sweeper, checks. */
  start(): Promise<void>
  /** No new work is taken and what is in flight ends. */
  stop(): Promise<void>
  /** After stop: the last records are written, threads and sockets are closed. */
  close(): Promise<void>
}

/** What the parts share, made before them. */
interface Base extends PlatformOptions {
  /** The catalogue holds the operations of parts that read it: asked for late. */
  catalog(): Catalog
  readonly authorizationServer: AuthorizationServer
}

function capabilitiesOf(base: Base): readonly Capability[] {
  const { config, publicUrl, version, db, catalog, authorizationServer, queue } = base
  return [
    ...hostCapabilities,
    accessLogCapability,
    identityCapability({
      publicUrl,
      registrationOpen: config.registrationOpen,
      clientAddress: currentClientAddress,
    }),
    registryCapability({ catalog, hashClientSecret: makeClientSecretHash(config.secretKey) }),
    reviewCapability({ catalog, wakeChecks: makeWakeChecks(queue) }),
    installCapability({ catalog, authorization: authorizationServer }),
    webhooksCapability({
      secretKey: deriveKey(config.secretKey, 'webhook-secrets'),
      allowLoopback: config.allowLoopbackTargets,
    }),
    documentsCapability({
      catalog,
      publicUrl,
      version,
      manifestSchema: manifestSchemaDocument(),
      protectedResourceMetadata: authorizationServer.protectedResourceMetadata,
      errorsOf: ({ audience }) => [
        DbErrors.unavailable,
        ...(audience === 'app' ? Object.values(RulesErrors) : []),
      ],
      ready: () => isReachable(db.queries),
    }),
  ]
}

function pageDependencies(base: Base, door: Door): PageRouteDependencies {
  const { config, publicUrl, db, clock, random, log, authorizationServer } = base
  return {
    pages,
    door,
    random,
    log,
    renderError,
    csrf: makeCsrf(deriveKey(config.secretKey, 'csrf')),
    secureCookies: publicUrl.startsWith('https:'),
    session: async (cookie) => (await findSession(db.queries, cookie, clock))?.caller ?? null,
    async signIn({ email, password, address, userAgent }) {
      const outcome = await signIn({ queries: db.queries, clock }, { email, password, address })
      if (outcome.kind !== 'signed_in') return null
      const { personId } = outcome
      const cookie = await db.tx((tx) => startSession(tx, { personId, userAgent }, { clock, random }))
      const { caller } = present(await findSession(db.queries, cookie, clock), 'the session just started')
      return { cookie, person: caller }
    },
    signOut: (cookie) => endSession(db.queries, cookie, clock),
    findInteraction: authorizationServer.findInteraction,
    resumeSignIn: authorizationServer.resumeSignIn,
    denyConsent: (request, response) => authorizationServer.denyConsent(request, response),
  }
}

function makeApp(base: Base, door: Door): HttpApp {
  const { config, publicUrl, db, clock, random, log, authorizationServer } = base
  const pageParts = pageDependencies(base, door)
  return makeHttpApp({
    catalog: base.catalog(),
    door,
    log,
    ids: { clock, random },
    trustProxy: config.trustProxy,
    authorizationServer,
    authenticators: {
      hostKey: config.hostKey,
      csrf: pageParts.csrf,
      session: pageParts.session,
      accessToken: authorizationServer.verifyAccessToken,
      personalToken: (token) => findPersonalToken(db.queries, token, clock),
      resourceMetadataUrl: `${publicUrl}/.well-known/oauth-protected-resource/v1`,
    },
    pages: pageParts,
    files: [
      { path: '/assets/stoa.css', mediaType: 'text/css', text: styleSheet },
      { path: '/types/stoa.d.ts', mediaType: 'text/plain', text: toDeclarations(base.catalog()) },
    ],
    metrics: makeMetrics(),
  })
}

async function makeBase(options: PlatformOptions, catalog: () => Catalog): Promise<Base> {
  const { config, publicUrl, db, clock, random, log } = options
  const authorizationServer = await makeAuthorizationServer({
    db,
    secretKey: config.secretKey,
    publicUrl,
    supportedScopes: () => [...catalog().scopes.keys()],
    renderError: (error, locale) => renderErrorDocument(error, locale, currentRequestId() ?? ''),
    clock,
    random,
    log,
  })
  return { ...options, catalog, authorizationServer }
}

/** The sinks of the roles this process has; a sink that is missing here is drained by another process. */
function sinksOf(base: Base, { door, httpClient }: { readonly door: Door; readonly httpClient: HttpClient }) {
  const { config, db, clock, random, log, sandbox } = base
  const secretKey = deriveKey(config.secretKey, 'webhook-secrets')
  return {
    backend: config.roles.has('worker') ? webhookSink({ db, httpClient, secretKey, clock, log }) : undefined,
    sandbox:
      sandbox === null
        ? undefined
        : sandboxSink({
            db,
            catalog: base.catalog(),
            door,
            pool: sandbox,
            clock,
            random,
            log,
            resolveInstalledVersion: (merchantId, installationId) =>
              resolveInstalledVersion(db.queries, merchantId, installationId),
            readPackageFiles: (sha256) => readPackageFiles(db.queries, sha256),
          }),
  }
}

const maintenanceIntervalMs = 60 * 60 * 1000

/** Puts the parts together. The only place that knows all of them. */
export async function makePlatform(options: PlatformOptions): Promise<Platform> {
  const { config, publicUrl, db, queue, sandbox, clock, random, log } = options
  let made: Catalog | null = null
  const base = await makeBase(options, () => present(made, 'the catalogue'))
  const catalog = makeCatalog(capabilitiesOf(base))
  made = catalog

  const httpClient = makeHttpClient({
    clock,
    connectMs: limits.webhookConnectMs,
    allowLoopback: config.allowLoopbackTargets,
    connectionsMax: limits.webhookConnectionsMax,
  })
  const recorder = makeRecorder({ queries: db.queries, clock, random, log })
  const events: Events = makeEvents({
    db,
    catalog,
    queue,
    clock,
    random,
    log,
    publicUrl,
    relays: config.roles.has('worker'),
    sinks: () => sinks,
  })
  const door = makeDoor({
    catalog,
    queries: db.queries,
    runInTransaction: (fn) => db.tx(fn),
    publish: events.publish,
    recorder,
    idempotency: makeIdempotencyStore({ clock, key: deriveKey(config.secretKey, 'idempotency') }),
    checkRules: makeRulesCheck({ queries: db.queries, clock }),
    clock,
    random,
  })
  const sinks = sinksOf(base, { door, httpClient })
  const review = sandbox === null ? null : { db, sandbox, catalog: base.catalog, clock, random, log }

  // Partitions of the months to come, and rows whose time is over.
  const maintain = async () => {
    await db.tx((tx) => ensurePartitions(tx, clock.nowMs()))
    await base.authorizationServer.removeExpired()
    await removeExpiredAnswers(db.queries, clock.nowMs())
  }
  return {
    app: makeApp(base, door),
    door,
    catalog,
    db,
    events,
    checkCase: (caseId) => checkCase(present(review, 'the sandbox role'), caseId),
    async start() {
      await maintain()
      queue.every('maintenance', maintenanceIntervalMs, maintain)
      if (review !== null) await startReviewJobs({ ...review, queue })
      await events.start()
      await queue.ready()
    },
    stop: () => events.stop(),
    async close() {
      await sandbox?.close()
      await recorder.close()
      await httpClient.close()
    },
  }
}
