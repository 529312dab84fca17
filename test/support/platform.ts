import type { AddressInfo } from 'node:net'
import { makeSandboxPool, type SandboxPool } from '../../runtime/node/index.ts'
import type { Caller } from '../../src/capability/index.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { SocketTiming } from '../../src/http/index.ts'
import { allAudiences, loadPerson, startSession } from '../../src/identity/index.ts'
import { createPerson } from '../../src/identity/person/create-person.ts'
import { audiences } from '../../src/identity/schema.ts'
import { createPersonalToken } from '../../src/identity/sign-in/create-personal-token.ts'
import {
  type Clock,
  type Log,
  limits,
  makeBoundedServer,
  mintToken,
  newId,
  present,
  type Random,
  systemRandom,
} from '../../src/kernel/index.ts'
import { makePlatform, type Platform } from '../../src/platform.ts'
import { makeQueue } from '../../src/queue/index.ts'
import { openRequestQuotas } from '../../src/request-quotas.ts'
import { type ApiClient, makeApiClient, send } from './api-client.ts'
import { openTestDatabase, quietLog, type TestDatabase } from './database.ts'
import { dpopHeaders } from './dpop.ts'
import { makeOpenApiCheck, type OpenApiCheck } from './openapi-check.ts'
import { makeTestBrowser, type TestBrowser } from './test-browser.ts'

/** The system's clock, which a test may set forward. */
export interface MovableClock extends Clock {
  advance(ms: number): void
}

function makeMovableClock(): MovableClock {
  let aheadMs = 0
  return {
    nowMs: () => Date.now() + aheadMs,
    advance(ms) {
      aheadMs += ms
    },
  }
}

export interface TestPlatformOptions {
  readonly clock?: MovableClock
  readonly random?: Random
  readonly log?: Log
  readonly config?: Partial<Config>
  readonly socketTiming?: SocketTiming
  /** Name by which browsers know it; default: 127.0.0.1, which is no name. */
  readonly publicHost?: string
  /** One that outlives the platform; default: one of its own. */
  readonly database?: TestDatabase
}

/** Somebody with an account, a browser session and a personal token for everything. */
export interface TestPerson {
  readonly personId: string
  readonly email: string
  /** Value of the session cookie. */
  readonly session: string
  /** Uses the personal token. */
  readonly api: ApiClient
}

/** The whole platform in this process, reached by HTTP. */
export interface TestPlatform {
  readonly baseUrl: string
  readonly publicUrl: string
  readonly platform: Platform
  readonly db: Platform['db']
  readonly clock: MovableClock
  readonly random: Random
  readonly hostKey: string
  readonly check: OpenApiCheck
  /** What /openapi.json answers. */
  readonly openApi: Readonly<Record<string, unknown>>
  /** Without a credential. */
  readonly anonymous: ApiClient
  readonly host: ApiClient
  bearer(token: string): ApiClient
  /** An app with its tokens: bearer ones, or bound to a key. */
  app(tokens: AppTokens): ApiClient
  /** Calls an operation through the door and gives its output. */
  act<T>(operationId: string, caller: Caller, input: unknown): Promise<T>
  person(options?: { readonly email?: string; readonly locale?: string }): Promise<TestPerson>
  /** A browser, signed in as the person when one is given. */
  browser(person?: TestPerson | null, language?: string): TestBrowser
  /** A personal token, with fewer rights or a shorter life than `person()` gives. */
  personalToken(person: TestPerson, options?: TokenOptions): Promise<string>
  close(): Promise<void>
}

export interface AppTokens {
  readonly access_token: string
  /** What the token is bound to, if to anything. */
  readonly key?: CryptoKeyPair | undefined
}

export interface TokenOptions {
  readonly audiences?: readonly (typeof audiences)[number][]
  readonly lifetimeMs?: number
}

export const testPassword = 'correct horse battery staple'
// What hashPassword(testPassword) gave once: a hash takes 150 ms, a test file needs several people.
const testPasswordHash = 'scrypt$YSBzYWx0IG9mIDE2IGJ5Lg$WRve5wAPp9Ynh_cLlIpBkGtUIv5NpN0piyCbp4x0150'

function testConfig(change: Partial<Config>): Config {
  const key = (kind: string) => `${kind} key of a test platform, long enough`
  const config = readConfig(
    {
      STOA_SEED: 'none',
      STOA_ALLOW_LOOPBACK_TARGETS: 'true',
      STOA_SECRET_KEY: key('secret'),
      STOA_HOST_KEY: mintToken('hostKey', systemRandom),
      STOA_LOG_LEVEL: 'silent',
      // Tests are one client that sends what a hundred would; those of the quotas set their own.
      STOA_QUOTA_FACTOR: '10000',
    },
    systemRandom,
  )
  return { ...config, ...change }
}

async function listen() {
  const server = makeBoundedServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  return { server, baseUrl: `http://127.0.0.1:${port}`, close }
}

/** Threads are started when a test runs the first program; most never do. */
function lazySandbox(): SandboxPool {
  let made: Promise<SandboxPool> | null = null
  const pool = () => {
    made ??= makeSandboxPool({ workers: 1 })
    return made
  }
  return {
    run: async (...run) => (await pool()).run(...run),
    check: async (program) => (await pool()).check(program),
    close: async () => (await made)?.close(),
  }
}

type People = Pick<TestPlatform, 'person' | 'personalToken'>

function makePeople(
  { db }: Platform,
  ids: { readonly clock: MovableClock; readonly random: Random },
  bearer: (token: string) => ApiClient,
): People {
  const personalToken: People['personalToken'] = async ({ personId }, options = {}) => {
    const { audiences: names = audiences, lifetimeMs = limits.personalTokenMs } = options
    const input = { personId, name: 'test', audiences: names, lifetimeMs }
    return (await db.tx((tx) => createPersonalToken(tx, ids, input))).token
  }
  return {
    personalToken,
    async person({ email, locale = 'en' } = {}) {
      const personId = newId('person', ids)
      const address = email ?? `${personId.toLowerCase()}@example.com`
      const made = { personId, email: address, displayName: 'Somebody', locale }
      const session = await db.tx(async (tx) => {
        await createPerson(tx, ids.clock, { ...made, passwordHash: testPasswordHash })
        return startSession(tx, { personId, userAgent: 'test' }, ids)
      })
      const known = { personId, email: address, session }
      const token = await personalToken({ ...known, api: bearer('') })
      return { ...known, api: bearer(token) }
    },
  }
}

/**
 * Quotas of this process alone, as embedded. On a server their windows end by a clock that no test can set forward, and a
 * test that does so takes a new share of the same window each time.
 */
function ownQuotas({ db, ...parts }: Parameters<typeof openRequestQuotas>[0]) {
  const config = { ...parts.config, redisUrl: null }
  return openRequestQuotas({ ...parts, config, db: { kind: 'pglite', queries: db.queries } })
}

/** A platform of its own for one test file: a database, a queue, the composition root and a real port. */
export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const { clock = makeMovableClock(), random = systemRandom, log = quietLog } = options
  const config = testConfig(options.config ?? {})
  const [database, { server, baseUrl, close: closeServer }] = await Promise.all([
    options.database ?? openTestDatabase({ clock, log }),
    listen(),
  ])
  const { db } = database
  const publicUrl = baseUrl.replace('127.0.0.1', options.publicHost ?? '127.0.0.1')
  const redisUrl = process.env['REDIS_URL']
  const prefix = `test-${newId('run', { clock, random: systemRandom })}`
  const queue = makeQueue({ db, redisUrl, log, clock, prefix })
  const platform = await makePlatform({
    ...{ config, publicUrl, version: '0.0.0', db, queue, log, clock, random },
    sandbox: lazySandbox(),
    ...(options.config?.quotaFactor === undefined ? { quotas: ownQuotas({ config, db, clock, log }) } : {}),
    ...(options.socketTiming === undefined ? {} : { socketTiming: options.socketTiming }),
  })
  server.on('request', platform.app)
  platform.sockets.attach(server)

  const document = await send(baseUrl, 'GET', '/openapi.json')
  const openApi = document.body as Readonly<Record<string, unknown>>
  const check = makeOpenApiCheck(openApi)
  const anonymous = makeApiClient({ baseUrl, check })
  const bearer = (token: string) => anonymous.with({ authorization: `Bearer ${token}` })
  const app = ({ access_token: accessToken, key }: AppTokens) => {
    if (key === undefined) return bearer(accessToken)
    const sign = (method: string, pathname: string) =>
      dpopHeaders(key, { method, url: `${publicUrl}${pathname}`, accessToken, nowMs: clock.nowMs() })
    return makeApiClient({ baseUrl, check, sign })
  }
  return {
    ...{ baseUrl, publicUrl, platform, db, clock, random, check, openApi, anonymous, bearer, app },
    ...makePeople(platform, { clock, random }, bearer),
    hostKey: config.hostKey,
    host: bearer(config.hostKey),
    async act<T>(operationId: string, caller: Caller, input: unknown) {
      const call = { caller, input, via: 'console', requestId: 'req_test' } as const
      return (await platform.door.invoke(operationId, call)).output as T
    },
    browser(person = null, language = 'en') {
      const browser = makeTestBrowser(publicUrl, language)
      if (person !== null) browser.plant('stoa_session', person.session)
      return browser
    },
    async close() {
      // Side by side, as at a real end: a server has closed when the last WebSocket has.
      await Promise.all([closeServer(), platform.stop()])
      await platform.close()
      await queue.close()
      if (options.database === undefined) await database.close()
    },
  }
}

/** The person as the door knows them: what they may do is read anew. */
export async function callerOf({ db }: TestPlatform, { personId }: TestPerson): Promise<Caller> {
  return present(await loadPerson(db.queries, personId, allAudiences), 'the test person')
}
