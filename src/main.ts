import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SandboxPool } from '../runtime/node/index.ts'
import { type Config, isLoopbackHost, readConfig } from './config.ts'
import type { Db } from './db/index.ts'
import {
  KernelErrors,
  type Log,
  limits,
  listErrors,
  makeBoundedServer,
  makeLog,
  StoaError,
  systemClock,
  systemRandom,
} from './kernel/index.ts'
import type { Platform } from './platform.ts'

// Parts are imported inside the steps: a mistake in the configuration is told at once, and what takes long (the
// database, the sandbox threads, loading the code) goes on side by side.

const version = '0.1.0'

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Runs one step of the start and says how long it took; steps overlap where they do not need each other. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const result = await work()
  print(`  ${name.padEnd(12)} ${Math.round(performance.now() - startedAt)} ms`)
  return result
}

interface Listening {
  readonly server: Server
  readonly port: number
  /** From here on requests are answered; before, they get 503. */
  serve(listener: RequestListener): void
}

const listenProblems: Readonly<Record<string, (config: Config) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `PORT: ${host}:${port} is in use by another process; set PORT to a free one, or 0 to take any`,
  EACCES: ({ port }) => `PORT: this user may not listen on ${port}; take one from 1024 on`,
  EADDRNOTAVAIL: ({ host }) => `HOST: ${host} is not an address of this machine`,
  ENOTFOUND: ({ host }) => `HOST: ${host} is not known here`,
}

function toListenError(error: NodeJS.ErrnoException, config: Config): unknown {
  const sentence = listenProblems[error.code ?? '']?.(config)
  return sentence === undefined ? error : KernelErrors.invalid_configuration(sentence, { cause: error })
}

// The port is taken first: a second start on it fails before it has touched any data.
function listen(config: Config): Promise<Listening> {
  let listener: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' }).end('starting\n')
  }
  const server = makeBoundedServer((request, response) => listener(request, response))
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(toListenError(error, config)))
    server.listen(config.port, config.host, () => {
      const { port } = server.address() as AddressInfo
      resolve({
        server,
        port,
        serve: (next) => {
          listener = next
        },
      })
    })
  })
}

function publicUrlOf(config: Config, port: number): string {
  if (config.publicUrl !== null) return config.publicUrl
  const host =
    isLoopbackHost(config.host) || config.host === '0.0.0.0' || config.host === '::'
      ? 'localhost'
      : config.host
  return `http://${host}:${port}`
}

const probes = new Set(['/healthz', '/readyz', '/metrics'])

/** What this process answers: everything with the api role, else the probes of whoever watches it. */
function listenerOf({ app }: Platform, { roles }: Config): RequestListener {
  if (roles.has('api')) return app
  return (request, response) => {
    if (probes.has(request.url ?? '')) app(request, response)
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('this process has no api role\n')
  }
}

/** Undoes the start, last step first. */
type Closers = (() => Promise<void>)[]

interface Starting {
  readonly config: Config
  readonly log: Log
  readonly closers: Closers
  /** Throws when the process was asked to stop meanwhile. */
  checkStop(): void
}

async function openDatabase({ config, log, closers, checkStop }: Starting): Promise<Db> {
  const { openDb, migrate } = await import('./db/index.ts')
  const { databaseUrl, dataDir } = config
  const db = await step('database', () =>
    openDb({ databaseUrl: databaseUrl ?? undefined, dataDir, log, clock: systemClock }),
  )
  closers.push(() => db.close())
  checkStop()
  await step('migrations', () => migrate(db))
  return db
}

async function startSandbox({ config, log }: Starting): Promise<SandboxPool | null> {
  if (!config.roles.has('sandbox')) return null
  const { makeSandboxPool } = await import('../runtime/node/index.ts')
  const onError = (error: unknown) => log.error({ err: error }, 'sandbox.defect')
  return step('sandbox', () => makeSandboxPool({ workers: limits.sandboxWorkers, onError }))
}

async function openQueue({ config, log, closers }: Starting, db: Db) {
  const { makeQueue } = await import('./queue/index.ts')
  return step('queue', async () => {
    const queue = makeQueue({ db, redisUrl: config.redisUrl ?? undefined, log })
    closers.push(() => queue.close())
    await queue.ready()
    return queue
  })
}

async function start(starting: Starting): Promise<void> {
  const { config, log, closers, checkStop } = starting
  const startedAt = performance.now()
  print(`Stoa ${version} on Node ${process.versions.node}`)
  const { server, port, serve } = await listen(config)
  const publicUrl = publicUrlOf(config, port)
  const clock = systemClock
  const random = systemRandom

  const [sandbox, db, { makePlatform }] = await Promise.all([
    startSandbox(starting),
    openDatabase(starting),
    step('code', () => import('./platform.ts')),
  ])
  checkStop()
  const queue = await openQueue(starting, db)
  const platform = await step('platform', () =>
    makePlatform({ config, publicUrl, version, db, queue, sandbox, log, clock, random }),
  )
  closers.push(() => platform.close())
  const { refuseDemoDataInPublic, seedDemo } = await import('./demo-data.ts')
  await refuseDemoDataInPublic(db, isLoopbackHost(config.host) && isLoopbackHost(new URL(publicUrl).hostname))
  checkStop()
  if (config.seed === 'demo') await step('demo data', () => seedDemo(platform, { clock, random, print }))
  closers.push(() => finish(server, platform))
  await step('workers', () => platform.start())
  serve(listenerOf(platform, config))
  if (config.roles.has('api')) platform.sockets.attach(server)
  print(`  ready        ${Math.round(performance.now() - startedAt)} ms`)
  printAddresses(config, publicUrl, port)
}

/** Takes no more requests and no more deliveries; waits for those in flight. */
async function finish(server: Server, platform: Platform): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), limits.requestDrainMs)
  await Promise.all([platform.stop(), closed])
  clearTimeout(late)
}

async function close(closers: Closers): Promise<void> {
  for (const closer of closers.splice(0).reverse()) await closer()
}

function printAddresses(
  { host, roles, databaseUrl, dataDir }: Config,
  publicUrl: string,
  port: number,
): void {
  print('')
  print(`listening on ${publicUrl}`)
  if (new URL(publicUrl).port !== String(port)) print(`  socket        ${host}:${port}`)
  if (roles.has('api')) {
    print(`  start page    ${publicUrl}/`)
    print(`  market        ${publicUrl}/m`)
    print(`  API           ${publicUrl}/openapi.json`)
    print(`  OAuth         ${publicUrl}/.well-known/oauth-authorization-server`)
  }
  if (databaseUrl === null) print(`  data, keys    ${dataDir}`)
}

function rootCause(error: Error): string {
  return error.cause instanceof Error ? rootCause(error.cause) : error.message
}

/** A server that the configuration names and that does not answer is told by the variable's name. */
function nameServer(error: StoaError, config: Config): StoaError {
  const cause = rootCause(error)
  const unusable = (name: string) =>
    KernelErrors.invalid_configuration(`${name}: the server does not answer: ${cause}`, { cause: error })
  if (error.code === 'db.unavailable' && config.databaseUrl !== null) return unusable('DATABASE_URL')
  if (error.code === 'queue.unavailable' && config.redisUrl !== null) return unusable('REDIS_URL')
  return error
}

// PostgreSQL's own refusals (no such role, no such database, wrong password) carry a severity.
function isDatabaseRefusal(error: unknown): error is Error {
  return error instanceof Error && 'severity' in error
}

/** An expected failure in two lines, what and what to do; a defect with its stack. */
function fail(error: unknown): never {
  if (isDatabaseRefusal(error)) {
    process.stderr.write(
      `DATABASE_URL: ${error.message}\n  Check its user, password and database; the database must exist.\n`,
    )
    process.exit(1)
  }
  if (!(error instanceof StoaError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  }
  const fix = new Map(listErrors()).get(error.code)?.fix ?? ''
  const rest = fix === '' || fix === error.message ? '' : `  ${fix}\n`
  process.stderr.write(`${error.code}: ${error.message}\n${rest}`)
  process.exit(1)
}

class StoppedWhileStarting extends Error {
  override readonly name = 'StoppedWhileStarting'
}

async function main(): Promise<void> {
  const config = readConfig(process.env, systemRandom)
  const log = makeLog({ level: config.logLevel, toStderr: true })
  const closers: Closers = []
  let started = false
  let stopping = false

  const stop = async (): Promise<never> => {
    await close(closers)
    process.exit(0)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) return
    stopping = true
    print(`${signal}: finishing what is in flight`)
    // What hangs longer is left to the next start, which resumes it: nothing is true only in this process.
    setTimeout(() => process.exit(0), limits.shutdownMs - forcedEndMs).unref()
    if (started) stop().catch(fail)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)

  const checkStop = () => {
    if (stopping) throw new StoppedWhileStarting()
  }
  try {
    await start({ config, log, closers, checkStop })
    started = true
    checkStop()
  } catch (error) {
    if (error instanceof StoppedWhileStarting) return stop()
    throw error instanceof StoaError ? nameServer(error, config) : error
  }
}

/** How long before the promised end the process ends, done or not. */
const forcedEndMs = 250

main().catch(fail)
