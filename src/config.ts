import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { type ProviderConfig, providerConfigOf, providerSettings } from './config-provider.ts'
import {
  isLoopbackAddress,
  KernelErrors,
  makeFolder,
  mintToken,
  type Random,
  StoaError,
} from './kernel/index.ts'

/** One environment variable. docs/reference/configuration.md is printed from this table. */
export interface Setting {
  readonly name: string
  readonly fallback: string
  readonly description: string
  /** May also be given as a file's path in NAME_FILE. */
  readonly secret?: boolean
}

export const settings = [
  { name: 'HOST', fallback: '127.0.0.1', description: 'Address to listen on.' },
  { name: 'PORT', fallback: '4000', description: 'Port to listen on; 0 takes a free one.' },
  {
    name: 'STOA_PUBLIC_URL',
    fallback: 'http://localhost:PORT',
    description:
      'The address by which browsers and apps reach Stoa. OAuth issuer; never taken from a request.',
  },
  {
    name: 'STOA_DATA_DIR',
    fallback: '.stoa',
    description: 'Folder of the embedded database and the keys made for it.',
  },
  {
    name: 'DATABASE_URL',
    fallback: '',
    description: 'PostgreSQL ≥ 15. Empty: the embedded database in STOA_DATA_DIR.',
    secret: true,
  },
  {
    name: 'REDIS_URL',
    fallback: '',
    description: 'Redis for wake-ups. Empty: the database carries them.',
    secret: true,
  },
  {
    name: 'STOA_ROLES',
    fallback: 'api,worker,sandbox',
    description: 'What this process does; the embedded database needs all three.',
  },
  {
    name: 'STOA_SEED',
    fallback: 'demo when embedded on a loopback address, else none',
    description: 'demo: the first start makes demo people, a merchant and apps. none: an empty platform.',
  },
  {
    name: 'STOA_HOST_KEY',
    fallback: 'made in STOA_DATA_DIR when embedded',
    description: 'The key of the host’s own systems for /host/v1. At least 32 characters.',
    secret: true,
  },
  {
    name: 'STOA_SECRET_KEY',
    fallback: 'made in STOA_DATA_DIR when embedded',
    description: 'Seals stored secrets and keys. At least 32 characters; losing it loses them.',
    secret: true,
  },
  {
    name: 'STOA_TRUST_PROXY',
    fallback: '',
    description:
      'Proxies whose X-Forwarded-For is believed, comma-separated: addresses, CIDR blocks, loopback, linklocal, uniquelocal.',
  },
  {
    name: 'STOA_ALLOW_LOOPBACK_TARGETS',
    fallback: 'true with demo data, else false',
    description:
      'Lets webhooks and redirect URIs point at 127.0.0.1 and ::1. For development on one machine.',
  },
  {
    name: 'STOA_QUOTA_FACTOR',
    fallback: '1',
    description:
      'Multiplies every rate limit (quota…Max in limits.md): 0.001 to 10000. For a host that needs more, and for load tests.',
  },
  {
    name: 'STOA_REGISTRATION',
    fallback: 'open',
    description: 'open: developers register themselves. closed: only by invitation.',
  },
  ...providerSettings,
  {
    name: 'STOA_LOG_LEVEL',
    fallback: 'info with DATABASE_URL, else warn',
    description:
      'Least level that is logged on standard error: trace, debug, info, warn, error, fatal, silent.',
  },
] as const satisfies readonly Setting[]

export type Role = 'api' | 'worker' | 'sandbox'

export interface Config {
  readonly host: string
  readonly port: number
  /** Origin without a trailing slash; null: follows from the port that was taken. */
  readonly publicUrl: string | null
  readonly dataDir: string
  readonly databaseUrl: string | null
  readonly redisUrl: string | null
  readonly roles: ReadonlySet<Role>
  readonly seed: 'demo' | 'none'
  readonly hostKey: string
  readonly secretKey: string
  readonly trustProxy: readonly string[]
  readonly allowLoopbackTargets: boolean
  /** What every rate limit is multiplied by. */
  readonly quotaFactor: number
  readonly registrationOpen: boolean
  /** The host's identity provider; null: none. */
  readonly provider: ProviderConfig | null
  readonly logLevel: string
}

type Environment = Readonly<Record<string, string | undefined>>
type SettingName = (typeof settings)[number]['name']

const secretLengthMin = 32

function invalid(name: string, why: string, cause?: unknown): StoaError {
  return KernelErrors.invalid_configuration(`${name}: ${why}`, cause === undefined ? {} : { cause })
}

function because(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function readSecretFile(name: string, file: string): string {
  let content: string
  try {
    content = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw invalid(name, `cannot be read: ${because(error)}`, error)
  }
  if (content === '') throw invalid(name, `${file} is empty`)
  return content
}

function read(environment: Environment, name: SettingName): string | null {
  const direct = environment[name]?.trim()
  const file = environment[`${name}_FILE`]?.trim()
  const isSecret = settings.some((setting) => setting.name === name && 'secret' in setting)
  const hasFile = isSecret && file !== undefined && file !== ''
  if (direct === undefined || direct === '') return hasFile ? readSecretFile(`${name}_FILE`, file) : null
  if (hasFile) throw invalid(name, `is set, and so is ${name}_FILE: keep one of them`)
  return direct
}

function oneOf<const V extends string>(name: SettingName, value: string, values: readonly V[]): V {
  const found = values.find((candidate) => candidate === value)
  if (found === undefined) throw invalid(name, `must be one of ${values.join(', ')}`)
  return found
}

function readPort(environment: Environment): number {
  const text = read(environment, 'PORT') ?? '4000'
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw invalid('PORT', 'must be a whole number from 0 to 65535')
  return Number(text)
}

function readPublicUrl(environment: Environment): string | null {
  const text = read(environment, 'STOA_PUBLIC_URL')
  if (text === null) return null
  if (!URL.canParse(text))
    throw invalid('STOA_PUBLIC_URL', 'must be an address like https://open.example.com')
  const url = new URL(text)
  const isOrigin = url.pathname === '/' && `${url.search}${url.hash}${url.username}${url.password}` === ''
  if (!isOrigin)
    throw invalid('STOA_PUBLIC_URL', 'must be scheme, host and port alone: Stoa stands at the root')
  const isLocal = url.protocol === 'http:' && isLoopbackHost(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) throw invalid('STOA_PUBLIC_URL', 'must be https')
  return url.origin
}

/** localhost, 127.0.0.0/8 or ::1. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return bare === 'localhost' || isLoopbackAddress(bare)
}

/** An address with one of these schemes; the value itself may hold a password and is not repeated. */
function readServer(
  environment: Environment,
  name: 'DATABASE_URL' | 'REDIS_URL',
  schemes: readonly [string, ...string[]],
): string | null {
  const text = read(environment, name)
  if (text === null) return null
  if (!URL.canParse(text) || !schemes.includes(new URL(text).protocol))
    throw invalid(name, `must be an address like ${schemes[0]}//user@host/name`)
  return text
}

interface EmbeddedKey {
  readonly name: 'STOA_HOST_KEY' | 'STOA_SECRET_KEY'
  readonly dataDir: string
  readonly file: string
  readonly random: Random
}

// Complete at the moment it appears, and the first one stays: two first starts at once end up with the same key.
function makeKeyFile(path: string, key: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${key}\n`, { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!existsSync(path)) throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** A key of the embedded mode: made once, readable by this user alone. */
function embeddedKey({ name, dataDir, file, random }: EmbeddedKey): string {
  const path = join(dataDir, file)
  try {
    makeFolder(dataDir)
    if (!existsSync(path)) {
      // Another key would open nothing of what is there.
      if (name === 'STOA_SECRET_KEY' && existsSync(join(dataDir, 'pglite')))
        throw invalid(
          name,
          `is not set and ${path} is missing, but there is a database that was sealed with it`,
        )
      makeKeyFile(path, mintToken('hostKey', random))
    }
  } catch (error) {
    if (error instanceof StoaError) throw error
    throw invalid('STOA_DATA_DIR', `cannot be used: ${because(error)}`, error)
  }
  const key = readSecretFile('STOA_DATA_DIR', path)
  if (key.length < secretLengthMin) throw invalid('STOA_DATA_DIR', `${path} holds no whole key`)
  return key
}

function givenKey(environment: Environment, name: EmbeddedKey['name']): string | null {
  const given = read(environment, name)
  if (given !== null && given.length < secretLengthMin)
    throw invalid(name, `must have at least ${secretLengthMin} characters`)
  if (given === null && read(environment, 'DATABASE_URL') !== null)
    throw invalid(name, 'is required with DATABASE_URL')
  return given
}

function readKeys(environment: Environment, embedded: Pick<EmbeddedKey, 'dataDir' | 'random'>) {
  const [host, secret] = [
    givenKey(environment, 'STOA_HOST_KEY'),
    givenKey(environment, 'STOA_SECRET_KEY'),
  ] as const
  return {
    hostKey: host ?? embeddedKey({ ...embedded, name: 'STOA_HOST_KEY', file: 'host.key' }),
    secretKey: secret ?? embeddedKey({ ...embedded, name: 'STOA_SECRET_KEY', file: 'secret.key' }),
  }
}

function readRoles(environment: Environment, embedded: boolean): ReadonlySet<Role> {
  const names = (read(environment, 'STOA_ROLES') ?? 'api,worker,sandbox')
    .split(',')
    .map((name) => name.trim())
  const roles = new Set(names.map((name) => oneOf('STOA_ROLES', name, ['api', 'worker', 'sandbox'])))
  if (embedded && roles.size < 3)
    throw invalid('STOA_ROLES', 'the embedded database is one process; set DATABASE_URL to split roles')
  return roles
}

function readList(environment: Environment, name: SettingName): readonly string[] {
  return (read(environment, name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const proxyNames = new Set(['loopback', 'linklocal', 'uniquelocal'])

function isProxy(item: string): boolean {
  const [address = '', bits, ...rest] = item.split('/')
  const family = isIP(address)
  if (bits === undefined) return family !== 0 || proxyNames.has(item)
  return (
    family !== 0 &&
    rest.length === 0 &&
    /^[1-9]\d{0,2}$/.test(bits) &&
    Number(bits) <= (family === 4 ? 32 : 128)
  )
}

function readTrustedProxies(environment: Environment): readonly string[] {
  const items = readList(environment, 'STOA_TRUST_PROXY')
  const wrong = items.find((item) => !isProxy(item))
  if (wrong === undefined) return items
  throw invalid('STOA_TRUST_PROXY', `${JSON.stringify(wrong)} is no address, CIDR block or name of a range`)
}

const quotaFactors = { min: 0.001, max: 10_000 } as const

function readQuotaFactor(environment: Environment): number {
  const factor = Number(read(environment, 'STOA_QUOTA_FACTOR') ?? '1')
  if (factor >= quotaFactors.min && factor <= quotaFactors.max) return factor
  throw invalid('STOA_QUOTA_FACTOR', `must be a number from ${quotaFactors.min} to ${quotaFactors.max}`)
}

function onLoopback(host: string, publicUrl: string | null): boolean {
  return isLoopbackHost(host) && (publicUrl === null || isLoopbackHost(new URL(publicUrl).hostname))
}

function readSeed(environment: Environment, demoAllowed: boolean): 'demo' | 'none' {
  const seed = oneOf('STOA_SEED', read(environment, 'STOA_SEED') ?? (demoAllowed ? 'demo' : 'none'), [
    'demo',
    'none',
  ])
  if (seed === 'none' || demoAllowed) return seed
  throw invalid('STOA_SEED', 'demo data is for the embedded database on a loopback address only')
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/**
 * Environment → Config. Makes the missing keys of the embedded mode, after everything else has been found right.
 * @throws kernel.invalid_configuration, which names the variable and says what it must be
 */
export function readConfig(environment: Environment, random: Random): Config {
  const databaseUrl = readServer(environment, 'DATABASE_URL', ['postgres:', 'postgresql:'])
  const embedded = databaseUrl === null
  const host = read(environment, 'HOST') ?? '127.0.0.1'
  const publicUrl = readPublicUrl(environment)
  const seed = readSeed(environment, embedded && onLoopback(host, publicUrl))
  const dataDir = resolve(read(environment, 'STOA_DATA_DIR') ?? '.stoa')
  const allowLoopback = read(environment, 'STOA_ALLOW_LOOPBACK_TARGETS') ?? String(seed === 'demo')
  const level = read(environment, 'STOA_LOG_LEVEL') ?? (embedded ? 'warn' : 'info')
  const registration = read(environment, 'STOA_REGISTRATION') ?? 'open'
  const config = {
    host,
    port: readPort(environment),
    publicUrl,
    dataDir,
    databaseUrl,
    redisUrl: readServer(environment, 'REDIS_URL', ['redis:', 'rediss:']),
    roles: readRoles(environment, embedded),
    seed,
    trustProxy: readTrustedProxies(environment),
    allowLoopbackTargets: oneOf('STOA_ALLOW_LOOPBACK_TARGETS', allowLoopback, ['true', 'false']) === 'true',
    quotaFactor: readQuotaFactor(environment),
    registrationOpen: oneOf('STOA_REGISTRATION', registration, ['open', 'closed']) === 'open',
    provider: providerConfigOf((name) => read(environment, name), allowLoopback === 'true'),
    logLevel: oneOf('STOA_LOG_LEVEL', level, logLevels),
  }
  return { ...config, ...readKeys(environment, { dataDir, random }) }
}
