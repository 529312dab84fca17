import type { SandboxPool } from '../runtime/node/index.ts'
import { accessLogCapability, makeRecorder } from './access-log/index.ts'
import { hostCapabilities } from './capabilities/index.ts'
import {
  type Capability,
  type Catalog,
  type Door,
  makeBoundTypes,
  makeCatalog,
  makeDoor,
  privateScopesOf,
  toDeclarations,
} from './capability/index.ts'
import type { Config } from './config.ts'
import { pages, passkeyScript, renderError, renderErrorDocument, styleSheet } from './console/index.ts'
import { type Db, DbErrors, isReachable, makeBoundCounters, makeIdempotencyStore } from './db/index.ts'
import { type Events, eventsCapability, makeEvents, makeRetention, streamCapability } from './events/index.ts'
import {
  clientAddressBy,
  documentsCapability,
  type HttpApp,
  makeCsrf,
  makeHttpApp,
  makeMetrics,
  makeStreamSockets,
  type PageRouteDependencies,
  type SocketTiming,
  type StreamSockets,
} from './http/index.ts'
import {
  createPersonalToken,
  endSession,
  findPersonalToken,
  findSession,
  identityCapability,
  makeProviderClient,
  makeSignInKeys,
  makeWaysIn,
  networkOf,
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
  newId,
  present,
  type Random,
  systemTimers,
} from './kernel/index.ts'
import { leaksCapabilityOf } from './leaked-secrets.ts'
import { makeMaintenance } from './maintenance.ts'
import { noticesCapability, notifyReuse } from './notices/index.ts'
import {
  type AuthorizationServer,
  makeAuthorizationServer,
  makeClientSecretHash,
  presentedTokenErrors,
  signatureAlgorithms,
  signingKeysCapability,
} from './oauth/index.ts'
import type { Queue } from './queue/index.ts'
import { manifestSchemaDocument, readPackageFiles, registryCapability } from './registry/index.ts'
import { openRequestQuotas, type RequestQuotas } from './request-quotas.ts'
import { checkCase, makeWakeChecks, reviewCapability, startReviewJobs } from './review/index.ts'
import { makeRulesCheck, RulesErrors } from './rules/index.ts'
import { sandboxSink } from './sandbox/index.ts'
import {
  makeEndpointStore,
  makeReplayer,
  makeWakeReplay,
  type Replayer,
  startReplayJobs,
  webhookSink,
  webhooksCapability,
} from './webhooks/index.ts'

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
  /** Default: what the limits say. */
  readonly socketTiming?: SocketTiming
  /** Default: counted together with the other processes of the platform. */
  readonly quotas?: RequestQuotas
}

export interface Platform {
  readonly app: HttpApp
  /** WebSockets, for a server that is told of them. */
  readonly sockets: StreamSockets
  readonly door: Door
  readonly catalog: Catalog
  readonly db: Db
  readonly events: Events
  /** Works on replays; null in a process without the worker role. */
  readonly replayer: Replayer | null
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
  /** Made after the catalogue: asked for late. */
  events(): Events
  /** Null in a process without the worker role. */
  replayer(): Replayer | null
  readonly authorizationServer: AuthorizationServer
  readonly httpClient: HttpClient
  readonly quotas: RequestQuotas
}

/** What sending to endpoints needs, whoever sends: the drain, a replay, or a person. */
function sendingOf({ config, db, clock, random, log, httpClient }: Base) {
  const secretKey = deriveKey(config.secretKey, 'webhook-secrets')
  return { db, endpoints: makeEndpointStore(db), httpClient, secretKey, clock, random, log }
}

function capabilitiesOf(base: Base): readonly Capability[] {
  const { config, publicUrl, version, db, catalog, authorizationServer, queue, httpClient } = base
  return [
    ...hostCapabilities,
    accessLogCapability,
    identityCapability({
      publicUrl,
      keys: makeSignInKeys(config.secretKey),
      registrationOpen: config.registrationOpen,
      clientAddress: currentClientAddress,
    }),
    registryCapability({ catalog, hashClientSecret: makeClientSecretHash(config.secretKey) }),
    reviewCapability({ catalog, wakeChecks: makeWakeChecks(queue) }),
    authorizationServer.capability,
    signingKeysCapability(authorizationServer),
    installCapability({ catalog, authorization: authorizationServer }),
    eventsCapability({ publishAsHost: (tx, list) => base.events().publishAsHost(tx, list) }),
    streamCapability(() => base.events().stream),
    webhooksCapability(
      {
        secretKey: deriveKey(config.secretKey, 'webhook-secrets'),
        allowLoopback: config.allowLoopbackTargets,
        publicUrl,
        httpClient,
      },
      {
        catalog,
        again: () => base.events().again,
        sending: sendingOf(base),
        wakeReplay: makeWakeReplay(queue, base.replayer),
      },
    ),
    noticesCapability,
    leaksCapabilityOf(base),
    documentsCapability({
      catalog,
      publicUrl,
      version,
      manifestSchema: manifestSchemaDocument(),
      protectedResourceMetadata: authorizationServer.protectedResourceMetadata,
      errorsOf: ({ audience }) => [
        DbErrors.unavailable,
        ...(audience === 'app' ? [...Object.values(RulesErrors), ...presentedTokenErrors] : []),
      ],
      ready: () => isReachable(db.queries),
    }),
  ]
}

/** The host's identity provider, as a client of it. */
function providerOf({ config, publicUrl, httpClient, clock }: Base) {
  const { provider: settings } = config
  if (settings === null) return null
  const redirectUri = `${publicUrl}/sign-in/oidc/callback`
  return { settings, client: makeProviderClient({ settings, redirectUri, httpClient, clock }) }
}

function pageDependencies(base: Base, door: Door): PageRouteDependencies {
  const { config, publicUrl, db, clock, random, log, authorizationServer } = base
  return {
    pages,
    meter: base.quotas.meter,
    door,
    random,
    log,
    renderError,
    csrf: makeCsrf(deriveKey(config.secretKey, 'csrf')),
    secureCookies: publicUrl.startsWith('https:'),
    session: async (cookie) => (await findSession(db.queries, cookie, clock))?.caller ?? null,
    waysIn: makeWaysIn({
      ...{ db, clock, random, publicUrl, log },
      keys: makeSignInKeys(config.secretKey),
      provider: providerOf(base),
    }),
    signOut: (cookie) => endSession(db.queries, cookie, clock),
    findInteraction: authorizationServer.findInteraction,
    resumeSignIn: authorizationServer.resumeSignIn,
    denyConsent: (request, response) => authorizationServer.denyConsent(request, response),
  }
}

function makeHttp(base: Base, door: Door): Pick<Platform, 'app' | 'sockets'> {
  const { config, publicUrl, db, clock, random, log, authorizationServer } = base
  const pageParts = pageDependencies(base, door)
  const { meter } = pageParts
  const authenticators = {
    hostKey: config.hostKey,
    csrf: pageParts.csrf,
    session: pageParts.session,
    publicUrl,
    accessToken: authorizationServer.verifyAccessToken,
    accessTokenHolder: authorizationServer.holderOf,
    personalToken: (token: string) => findPersonalToken(db.queries, token, clock),
    challenge: {
      resourceMetadataUrl: `${publicUrl}/.well-known/oauth-protected-resource/v1`,
      dpopAlgorithms: signatureAlgorithms,
    },
  }
  const app = makeHttpApp({
    catalog: base.catalog(),
    door,
    log,
    ids: { clock, random },
    trustProxy: config.trustProxy,
    authorizationServer,
    authenticators,
    meter,
    pages: pageParts,
    files: [
      { path: '/assets/stoa.css', mediaType: 'text/css', text: styleSheet },
      { path: '/assets/passkeys.js', mediaType: 'text/javascript', text: passkeyScript },
      { path: '/types/stoa.d.ts', mediaType: 'text/plain', text: toDeclarations(base.catalog()) },
    ],
    metrics: makeMetrics({
      events: { counts: () => base.events().counts(), backlog: () => base.events().backlog() },
      quotas: meter,
    }),
  })
  const sockets = makeStreamSockets({
    ...{ door, log, meter, authenticators, ids: { clock, random }, timing: base.socketTiming },
    clientAddress: clientAddressBy(app),
    waitForMore: (...wait) => base.events().stream.watch.wait(...wait),
  })
  return { app, sockets }
}

async function makeBase(
  options: PlatformOptions,
  late: Pick<Base, 'catalog' | 'events' | 'replayer' | 'quotas'>,
): Promise<Base> {
  const { config, publicUrl, db, clock, random, log } = options
  const authorizationServer = await makeAuthorizationServer({
    db,
    secretKey: config.secretKey,
    publicUrl,
    supportedScopes: () => [...late.catalog().scopes.keys()],
    privateScopes: () => privateScopesOf(late.catalog()),
    boundTypes: makeBoundTypes(hostCapabilities),
    quotas: late.quotas.ofPrograms,
    networkOf,
    onRefreshTokenReused: (tx, reuse) => notifyReuse(tx, reuse, { clock, random }),
    issuePersonalToken: (tx, request) =>
      createPersonalToken(tx, { clock, random }, { ...request, lifetimeMs: limits.personalTokenMs }),
    renderError: (error, locale) => renderErrorDocument(error, locale, currentRequestId() ?? ''),
    clock,
    random,
    log,
  })
  const httpClient = makeHttpClient({
    clock,
    connectMs: limits.webhookConnectMs,
    allowLoopback: config.allowLoopbackTargets,
    connectionsMax: limits.webhookConnectionsMax,
  })
  return { ...options, ...late, authorizationServer, httpClient }
}

/** The sinks of the roles this process has; a sink that is missing here is drained by another process. */
function sinksOf(base: Base, door: Door) {
  const { config, db, clock, random, log, sandbox } = base
  return {
    backend: config.roles.has('worker') ? webhookSink(sendingOf(base)) : undefined,
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
// Short, so that a process which is often started anew still gets to it; a round that finds nothing costs a few look-ups.
const retentionIntervalMs = 10 * 60 * 1000

/** Puts the parts together. The only place that knows all of them. */
export async function makePlatform(options: PlatformOptions): Promise<Platform> {
  const { config, publicUrl, db, queue, sandbox, clock, random, log } = options
  let made: Catalog | null = null
  const base = await makeBase(options, {
    catalog: () => present(made, 'the catalogue'),
    events: () => events,
    replayer: () => replayer,
    quotas: options.quotas ?? openRequestQuotas(options),
  })
  const catalog = makeCatalog(capabilitiesOf(base))
  made = catalog

  const recorder = makeRecorder({ queries: db.queries, clock, random, log })
  const events: Events = makeEvents({
    ...{ db, catalog, queue, clock, random, log, publicUrl },
    timers: systemTimers,
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
    boundCounters: makeBoundCounters(),
    checkRules: makeRulesCheck({ queries: db.queries, clock }),
    clock,
    random,
  })
  const sinks = sinksOf(base, door)
  const replayer = config.roles.has('worker')
    ? makeReplayer({ ...sendingOf(base), again: events.again, owner: newId('run', { clock, random }) })
    : null
  const review = sandbox === null ? null : { db, sandbox, catalog: base.catalog, clock, random, log }

  const retention = makeRetention({ db, catalog, clock, log })
  const { authorizationServer } = base
  const { maintain, removeOld } = makeMaintenance({ db, clock, authorizationServer, retention })
  const http = makeHttp(base, door)
  return {
    ...http,
    door,
    catalog,
    db,
    events,
    replayer,
    checkCase: (caseId) => checkCase(present(review, 'the sandbox role'), caseId),
    async start() {
      await maintain()
      queue.every('maintenance', maintenanceIntervalMs, maintain)
      if (config.roles.has('worker')) queue.every('retention', retentionIntervalMs, removeOld)
      queue.every('oauth-uses', limits.useOnceSweepMs, base.authorizationServer.removeExpiredUses)
      if (review !== null) await startReviewJobs({ ...review, queue })
      await events.start()
      if (replayer !== null) await startReplayJobs(queue, replayer)
      await queue.ready()
    },
    stop: async () => {
      const ends = [http.sockets.close(), events.stop(), retention.stop()]
      await Promise.all([...ends, replayer?.stop(limits.drainStopMs)])
    },
    async close() {
      await sandbox?.close()
      await recorder.close()
      await base.httpClient.close()
      base.quotas.close()
    },
  }
}
