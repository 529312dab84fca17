import { hostCapabilities } from '../../../src/capabilities/index.ts'
import {
  type Answer,
  type Caller,
  type Catalog,
  type Door,
  makeCatalog,
  makeDoor,
  type PersonCaller,
} from '../../../src/capability/index.ts'
import { type Db, makeBoundCounters } from '../../../src/db/index.ts'
import {
  type Clock,
  hmacSha256,
  newId,
  type Problem,
  systemRandom,
  toDate,
  toProblem,
} from '../../../src/kernel/index.ts'
import { registryCapability } from '../../../src/registry/index.ts'
import { reviewCapability } from '../../../src/review/index.ts'
import { openTestDatabase } from '../../support/database.ts'
import { type FileContents, makeZip } from '../../support/zip.ts'

/** The registry's and the review's operations behind a real door on a real database. */
export interface TestPlatform {
  readonly db: Db
  readonly catalog: Catalog
  readonly clock: Clock & { advance(ms: number): void }
  /** Cases whose checks were woken, in order. */
  readonly woken: readonly string[]
  hashClientSecret(secret: string): string
  /** Calls an operation and gives its output. */
  call<T = Record<string, unknown>>(
    operation: string,
    caller: Caller,
    input?: object,
    body?: Uint8Array,
  ): Promise<T>
  /** Calls an operation that must be refused and gives the problem document. */
  refused(operation: string, caller: Caller, input?: object, body?: Uint8Array): Promise<Problem>
  person(roles?: PersonRoles): Promise<PersonCaller>
  publisher(name?: string): Promise<string>
  merchant(): Promise<string>
  close(): Promise<void>
}

interface PersonRoles {
  readonly publishers?: Readonly<Record<string, string>>
  readonly platform?: readonly string[]
}

function makeTestClock(): TestPlatform['clock'] {
  let nowMs = 1_750_000_000_000
  return {
    // Every look at it is a moment later, so that nothing has to be ordered by chance.
    nowMs: () => {
      nowMs += 1
      return nowMs
    },
    advance(ms) {
      nowMs += ms
    },
  }
}

const ignoreRecords = { record: () => Promise.resolve(), buffer: () => Promise.resolve() }
const noIdempotency = {
  isAnswered: () => Promise.resolve(false),
  claim: () => Promise.resolve('claimed' as const),
  finish: () => Promise.resolve(),
}

function makePeople(db: Db, clock: Clock) {
  const ids = { clock, random: systemRandom }
  const now = () => toDate(clock.nowMs())
  return {
    async person({ publishers = {}, platform = [] }: PersonRoles = {}): Promise<PersonCaller> {
      const personId = newId('person', ids)
      await db.queries.person.create({ data: { id: personId, displayName: 'Somebody', createdAt: now() } })
      return {
        kind: 'person',
        personId,
        sessionId: null,
        displayName: 'Somebody',
        locale: 'en',
        credentialId: null,
        audiences: new Set(['developer', 'reviewer', 'merchant', 'account']),
        publishers: new Map(Object.entries(publishers)),
        merchants: new Map(),
        platformRoles: new Set(platform),
      }
    },
    async publisher(name = 'Tea Tools'): Promise<string> {
      const id = newId('publisher', ids)
      await db.queries.publisher.create({ data: { id, name, createdBy: 'per_test', createdAt: now() } })
      return id
    },
    async merchant(): Promise<string> {
      const id = newId('merchant', ids)
      await db.queries.merchant.create({ data: { id, kind: 'shop', name: 'Shop', createdAt: now() } })
      return id
    },
  }
}

export async function openTestPlatform(): Promise<TestPlatform> {
  const clock = makeTestClock()
  const { db, close } = await openTestDatabase({ clock })
  const woken: string[] = []
  const hashClientSecret = (secret: string) => hmacSha256('pepper', secret).toString('hex')
  const getCatalog = () => catalog
  const catalog: Catalog = makeCatalog([
    ...hostCapabilities,
    registryCapability({ catalog: getCatalog, hashClientSecret }),
    reviewCapability({
      catalog: getCatalog,
      wakeChecks: (caseId) => {
        woken.push(caseId)
        return Promise.resolve()
      },
    }),
  ])
  const door: Door = makeDoor({
    catalog,
    queries: db.queries,
    runInTransaction: (fn) => db.tx(fn),
    publish: () => Promise.reject(new Error('nothing is published here')),
    recorder: ignoreRecords,
    idempotency: noIdempotency,
    boundCounters: makeBoundCounters(),
    checkRules: (caller) => Promise.resolve(caller),
    clock,
    random: systemRandom,
  })
  const invoke = (
    operation: string,
    caller: Caller,
    input: object = {},
    body?: Uint8Array,
  ): Promise<Answer> =>
    door.invoke(operation, {
      caller,
      input: { ...input },
      via: 'rest',
      requestId: 'req_test',
      ...(body === undefined ? {} : { body }),
    })
  return {
    db,
    catalog,
    clock,
    woken,
    hashClientSecret,
    async call<T>(operation: string, caller: Caller, input?: object, body?: Uint8Array): Promise<T> {
      const { output } = await invoke(operation, caller, input, body)
      return output as T
    },
    async refused(operation, caller, input, body) {
      const answered = await invoke(operation, caller, input, body).then(
        ({ output }) => ({ output }),
        (error: unknown) => ({ error }),
      )
      if ('error' in answered) return toProblem(answered.error)
      throw new Error(`${operation} was not refused: ${JSON.stringify(answered.output)}`)
    },
    ...makePeople(db, clock),
    close,
  }
}

export const goodManifest = {
  app_id: 'com.example.tea',
  name: 'Tea',
  icons: [],
  pages: [],
  platform_version: { min_code: 1 },
  version: { code: 1, name: '1.0.0' },
  stoa_purpose: { en: 'Reads orders.', 'zh-CN': '读取订单。' },
  stoa_publisher: { country: 'CN', contact: 'privacy@tea.example' },
  stoa_scopes: {
    required: [
      {
        name: 'order:read',
        purpose: { en: 'Reads orders', 'zh-CN': '读取订单' },
        justification: { en: 'There is nothing else to read', 'zh-CN': '没有别的可读' },
        retention_days: 0,
        recipients: [],
      },
    ],
  },
  stoa_events: [{ type: 'order.paid', version: 1 }],
  stoa_handlers: 'handlers.js',
} as const

/** The manifest of an app with a server and nothing else. */
export const backendManifest = {
  ...goodManifest,
  stoa_handlers: undefined,
  stoa_redirect_uris: ['https://tea.example/callback', 'https://tea.example/other'],
} as const

const goodHandlers =
  "on('order.paid', async (event, stoa) => stoa.order.get({ orderId: event.data.orderId }))\n"

/** A package: a manifest with some members changed (undefined removes one) and files. */
export function packageOf(
  manifest: Readonly<Record<string, unknown>> = {},
  files: FileContents = { 'handlers.js': goodHandlers },
): Promise<Uint8Array> {
  return makeZip({ 'manifest.json': JSON.stringify({ ...goodManifest, ...manifest }), ...files })
}

/** The same manifest with another version code, so that it may be uploaded after the one before. */
export function versionCode(code: number) {
  return { version: { code, name: `1.0.${code}` } }
}

export interface WireVersion {
  readonly id: string
  readonly appId: string
  readonly code: number
  readonly state: string
  readonly packageSha256: string
}

export interface WirePage<T> {
  readonly data: readonly T[]
  readonly hasMore: boolean
  readonly nextCursor: string | null
}

/** A team with an app: where most tests begin. */
export async function makeTeam(platform: TestPlatform, appClass = 'mini-program') {
  const publisherId = await platform.publisher()
  const owner = await platform.person({ publishers: { [publisherId]: 'owner' } })
  const app = await platform.call<{ readonly id: string; readonly clientSecret: string | null }>(
    'app.create',
    owner,
    { publisherId, name: 'Tea', class: appClass },
  )
  return { publisherId, owner, appId: app.id, clientSecret: app.clientSecret }
}

/** Uploads and submits a version and takes it past the automatic checks, as if they had found nothing. */
export async function submitted(
  platform: TestPlatform,
  team: { readonly owner: PersonCaller; readonly appId: string },
  manifest: Readonly<Record<string, unknown>> = {},
) {
  const { owner, appId } = team
  const version = await platform.call<WireVersion>(
    'version.upload',
    owner,
    { appId },
    await packageOf(manifest),
  )
  const { id: caseId } = await platform.call<{ readonly id: string }>('version.submit', owner, {
    appId,
    versionId: version.id,
  })
  await platform.db.queries.reviewCase.update({ where: { id: caseId }, data: { state: 'in_review' } })
  return { version, caseId }
}

/** A version that may be released. */
export async function approved(
  platform: TestPlatform,
  team: { readonly owner: PersonCaller; readonly appId: string },
  manifest: Readonly<Record<string, unknown>> = {},
): Promise<WireVersion> {
  const { version, caseId } = await submitted(platform, team, manifest)
  const reviewer = await platform.person({ platform: ['reviewer'] })
  const { packageSha256 } = version
  await platform.call('review_case.decide', reviewer, { caseId, decision: 'approve', packageSha256 })
  return version
}
