import type { AppClass, Manifest } from '../../runtime/package/index.ts'
import type { PageRequest } from '../capability/index.ts'
import { execute, sql } from '../db/index.ts'
import { type DbTime, limits, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import { ruleInForce } from '../rules/index.ts'
import type { AppView, Visibility } from './app.ts'
import { everyone, type ReleaseState, type ReleaseView } from './release.ts'
import type { AppSettings } from './settings.ts'
import type { VersionState, VersionView } from './version.ts'

function pageOptions({ rowsMax, after }: PageRequest) {
  return { take: rowsMax, ...(after === null ? {} : { cursor: { id: after }, skip: 1 }) }
}

// ── apps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface AppRow {
  readonly id: string
  readonly publisherId: string
  readonly name: string
  readonly appClass: string
  readonly visibility: string
  readonly privateMerchantId: string | null
  readonly createdAt: DbTime
  readonly publisher: { readonly name: string }
}

const withPublisher = { publisher: { select: { name: true } } } as const

function toApp(row: AppRow): AppView {
  return {
    id: row.id,
    publisherId: row.publisherId,
    publisherName: row.publisher.name,
    name: row.name,
    appClass: row.appClass as AppClass,
    visibility: row.visibility as Visibility,
    privateMerchantId: row.privateMerchantId,
    createdAtMs: row.createdAt.getTime(),
  }
}

export interface NewApp extends Omit<AppView, 'publisherName'> {
  readonly createdBy: string
}

export async function insertApp(tx: Transaction, app: NewApp): Promise<void> {
  const { createdAtMs, ...columns } = app
  await tx.app.create({ data: { ...columns, createdAt: toDate(createdAtMs) } })
}

export async function findOwnApp(
  q: Queries,
  publisherIds: readonly string[],
  appId: string,
): Promise<AppView | null> {
  const row = await q.app.findFirst({
    where: { publisherId: { in: [...publisherIds] }, id: appId },
    include: withPublisher,
  })
  return row === null ? null : toApp(row)
}

/** Holds the app's row: whoever changes what belongs to one app does it one after the other. */
export async function lockOwnApp(
  tx: Transaction,
  publisherIds: readonly string[],
  appId: string,
): Promise<AppView | null> {
  await sql(
    tx,
    'select id from app where publisher_id = any($1::text[]) and id = $2 for update',
    publisherIds,
    appId,
  )
  return findOwnApp(tx, publisherIds, appId)
}

/** Newest first. */
export async function listOwnApps(
  q: Queries,
  publisherIds: readonly string[],
  page: PageRequest,
): Promise<AppView[]> {
  const rows = await q.app.findMany({
    where: { publisherId: { in: [...publisherIds] } },
    include: withPublisher,
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    ...pageOptions(page),
  })
  return rows.map(toApp)
}

/** The app with this id, whoever owns it; for other parts, which know the app from a row of their own. */
export async function findApp(q: Queries, appId: string): Promise<AppView | null> {
  const row = await q.app.findUnique({ where: { id: appId }, include: withPublisher })
  return row === null ? null : toApp(row)
}

export async function merchantExists(q: Queries, merchantId: string): Promise<boolean> {
  return (await q.merchant.count({ where: { id: merchantId } })) > 0
}

// ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────

export async function findSettings(q: Queries, appId: string): Promise<AppSettings | null> {
  const row = await q.appSetting.findUnique({ where: { appId } })
  if (row === null) return null
  const { redirectUris, requirePushedRequest, requireDpop, requirePrivateKeyJwt } = row
  return { redirectUris, requirePushedRequest, requireDpop, requirePrivateKeyJwt }
}

export async function putSettings(
  tx: Transaction,
  appId: string,
  settings: AppSettings,
  nowMs: number,
): Promise<void> {
  const columns = { ...settings, redirectUris: [...settings.redirectUris], updatedAt: toDate(nowMs) }
  await tx.appSetting.upsert({ where: { appId }, create: { appId, ...columns }, update: columns })
}

// ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface VersionRow extends Omit<VersionView, 'createdAtMs' | 'stateChangedAtMs' | 'state' | 'manifest'> {
  readonly state: string
  /** jsonb: checked against the manifest schema before it was written. */
  readonly manifest: unknown
  readonly createdAt: DbTime
  readonly stateChangedAt: DbTime
}

function toVersion({ createdAt, stateChangedAt, state, manifest, ...row }: VersionRow): VersionView {
  return {
    ...row,
    state: state as VersionState,
    manifest: manifest as Manifest,
    createdAtMs: createdAt.getTime(),
    stateChangedAtMs: stateChangedAt.getTime(),
  }
}

export async function insertVersion(tx: Transaction, version: VersionView): Promise<void> {
  await execute(
    tx,
    `insert into version (id, app_id, publisher_id, code, name, state, manifest, package_sha256, package_bytes,
       uploaded_by, created_at, state_changed_at)
     values ($1, $2, $3, $4::int, $5, $6, $7::jsonb, $8, $9::int, $10, $11, $12)`,
    version.id,
    version.appId,
    version.publisherId,
    version.code,
    version.name,
    version.state,
    JSON.stringify(version.manifest),
    version.packageSha256,
    version.packageBytes,
    version.uploadedBy,
    toDate(version.createdAtMs),
    toDate(version.stateChangedAtMs),
  )
}

/** The app's version with this id, whoever owns the app; for other parts. */
export async function findVersion(q: Queries, appId: string, versionId: string): Promise<VersionView | null> {
  const row = await q.version.findFirst({ where: { appId, id: versionId } })
  return row === null ? null : toVersion(row)
}

/** As `findVersion`, for people who work for the publisher. */
export async function findOwnVersion(
  q: Queries,
  publisherIds: readonly string[],
  appId: string,
  versionId: string,
): Promise<VersionView | null> {
  const row = await q.version.findFirst({
    where: { publisherId: { in: [...publisherIds] }, appId, id: versionId },
  })
  return row === null ? null : toVersion(row)
}

/** As `findVersion`, holding the row: decisions about one version are taken one after the other. */
export async function lockVersion(
  tx: Transaction,
  appId: string,
  versionId: string,
): Promise<VersionView | null> {
  await sql(tx, 'select id from version where app_id = $1 and id = $2 for update', appId, versionId)
  return findVersion(tx, appId, versionId)
}

/** The app's version with exactly these bytes. */
export async function findVersionByPackage(
  q: Queries,
  appId: string,
  packageSha256: string,
): Promise<VersionView | null> {
  const row = await q.version.findFirst({ where: { appId, packageSha256 } })
  return row === null ? null : toVersion(row)
}

/** `version.code` of the newest upload, whatever became of it; null for an app without one. */
export async function newestVersionCode(q: Queries, appId: string): Promise<number | null> {
  const { _max } = await q.version.aggregate({ where: { appId }, _max: { code: true } })
  return _max.code
}

/** Highest code first. */
export async function listVersions(q: Queries, appId: string, page: PageRequest): Promise<VersionView[]> {
  const rows = await q.version.findMany({ where: { appId }, orderBy: { code: 'desc' }, ...pageOptions(page) })
  return rows.map(toVersion)
}

export async function updateVersionState(
  tx: Transaction,
  { appId, id, state, stateChangedAtMs }: VersionView,
): Promise<void> {
  await tx.version.updateMany({
    where: { appId, id },
    data: { state, stateChangedAt: toDate(stateChangedAtMs) },
  })
}

// ── releases ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface ReleaseRow extends Omit<ReleaseView, 'createdAtMs' | 'endedAtMs' | 'state'> {
  readonly state: string
  readonly createdAt: DbTime
  readonly endedAt: DbTime | null
}

function toRelease(row: ReleaseRow): ReleaseView {
  const { id, appId, versionId, cohort, percentage, createdBy } = row
  const state = row.state as ReleaseState
  const times = { createdAtMs: row.createdAt.getTime(), endedAtMs: row.endedAt?.getTime() ?? null }
  return { id, appId, versionId, cohort, percentage, state, createdBy, ...times }
}

export async function insertRelease(
  tx: Transaction,
  publisherId: string,
  release: ReleaseView,
): Promise<void> {
  const { createdAtMs, endedAtMs: _open, ...columns } = release
  await tx.release.create({ data: { ...columns, publisherId, createdAt: toDate(createdAtMs) } })
}

export async function endActiveReleases(
  tx: Transaction,
  appId: string,
  cohort: string,
  nowMs: number,
): Promise<void> {
  await tx.release.updateMany({
    where: { appId, cohort, state: 'active' },
    data: { state: 'ended', endedAt: toDate(nowMs) },
  })
}

/** Newest first. */
export async function listReleases(q: Queries, appId: string, page: PageRequest): Promise<ReleaseView[]> {
  const rows = await q.release.findMany({
    where: { appId },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    ...pageOptions(page),
  })
  return rows.map(toRelease)
}

/**
 * The released versions, newest release first. The first is what new installations get; the others are for installations
 * whose grant does not cover a newer one yet. None when nothing is released now.
 */
export async function findReleasedVersions(q: Queries, appId: string): Promise<VersionView[]> {
  const rows = await q.release.findMany({
    where: { appId, cohort: everyone, state: { not: 'halted' } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    include: { version: true },
    take: limits.releasesConsideredMax,
  })
  return rows[0]?.state === 'active' ? rows.map(({ version }) => toVersion(version)) : []
}

/** An app that a merchant may install with the version that it would get. */
export interface MarketEntry {
  readonly app: AppView
  readonly version: VersionView
}

const newestRelease = `cross join lateral (
  select r.version_id from release r where r.app_id = a.id and r.cohort = $2 and r.state = 'active'
  order by r.created_at desc, r.id desc limit 1
) newest`

/** What is offered to merchant $1 at time $3: what is for it, and neither archived nor hidden nor stopped by a rule. */
const offered = `(a.visibility <> 'private' or a.private_merchant_id = $1) and a.archived_at is null
  and not exists (
    select 1 from rule where ${ruleInForce('rule', '$3')} and rule.effect in ('hide', 'stop') and rule.host is null
      and (rule.app_id is null or rule.app_id = a.id)
      and (rule.publisher_id is null or rule.publisher_id = a.publisher_id)
      and (rule.merchant_id is null or rule.merchant_id = $1)
      and (rule.version_id is null or rule.version_id = newest.version_id)
  )`

interface OfferedRow {
  readonly version_id: string
}

async function readEntries(q: Queries, found: readonly OfferedRow[]): Promise<MarketEntry[]> {
  const versionIds = found.map((row) => row.version_id)
  const rows = await q.version.findMany({
    where: { id: { in: versionIds } },
    include: { app: { include: withPublisher } },
  })
  const entries = new Map(
    rows.map(({ app, ...row }) => [row.id, { app: toApp(app), version: toVersion(row) }]),
  )
  return versionIds.flatMap((id) => entries.get(id) ?? [])
}

/**
 * Released apps that this merchant may install, newest first: public and internal ones and those made for it alone,
 * without the ones that a rule of the platform hides or stops. `after` is an app's id.
 */
export async function listMarket(
  q: Queries,
  merchantId: string,
  page: PageRequest & { readonly nowMs: number },
): Promise<MarketEntry[]> {
  const found = await sql<OfferedRow>(
    q,
    `select newest.version_id from app a ${newestRelease}
     where ${offered}
       and ($4::text is null or (a.created_at, a.id) < (select c.created_at, c.id from app c where c.id = $4))
     order by a.created_at desc, a.id desc limit $5::int`,
    merchantId,
    everyone,
    toDate(page.nowMs),
    page.after,
    page.rowsMax,
  )
  return readEntries(q, found)
}

/** The app of this id as the merchant's market offers it; null when it would not stand there. */
export async function findOffered(
  q: Queries,
  merchantId: string,
  appId: string,
  nowMs: number,
): Promise<MarketEntry | null> {
  const found = await sql<OfferedRow>(
    q,
    `select newest.version_id from app a ${newestRelease} where a.id = $4 and ${offered}`,
    merchantId,
    everyone,
    toDate(nowMs),
    appId,
  )
  const [entry] = await readEntries(q, found)
  return entry ?? null
}
