import type { AuthorizationDetail, PageRequest } from '../capability/index.ts'
import { execute, removeCountersOf, sql } from '../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import type { InstallationState } from './installation.ts'

export interface InstallationRow {
  readonly id: string
  readonly merchant_id: string
  readonly app_id: string
  /** As the reviewed manifest of the granted version has it. */
  readonly app_name: string
  readonly state: InstallationState
  readonly installed_at: DbTime
  readonly uninstalled_at: DbTime | null
  readonly version_id: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  readonly bounds: readonly AuthorizationDetail[]
  readonly epoch: number
}

const selectInstallation = `select i.id, i.merchant_id, i.app_id, v.manifest->>'name' as app_name, i.state, i.installed_at,
    i.uninstalled_at, g.version_id, g.granted, g.refused, g.bounds, g.epoch
  from installation i join "grant" g on g.installation_id = i.id join version v on v.id = g.version_id`

export async function findInstallation(
  q: Queries,
  merchantIds: readonly string[],
  installationId: string,
): Promise<InstallationRow | null> {
  const [row] = await sql<InstallationRow>(
    q,
    `${selectInstallation} where i.merchant_id = any($1::text[]) and i.id = $2`,
    [...merchantIds],
    installationId,
  )
  return row ?? null
}

/** The same. Locks the merchant's row, so that no consent is accepted and nothing uninstalled meanwhile. */
export async function lockInstallation(
  tx: Transaction,
  merchantIds: readonly string[],
  installationId: string,
): Promise<InstallationRow | null> {
  await sql(
    tx,
    `select m.id from merchant m join installation i on i.merchant_id = m.id
     where m.id = any($1::text[]) and i.id = $2 for no key update of m`,
    [...merchantIds],
    installationId,
  )
  return findInstallation(tx, merchantIds, installationId)
}

/** The live installation of an app at a merchant. Locks the merchant's row, so that two accepts run one after the other. */
export async function lockLiveInstallation(
  tx: Transaction,
  merchantId: string,
  appId: string,
): Promise<InstallationRow | null> {
  await sql(tx, 'select id from merchant where id = $1 for no key update', merchantId)
  const [row] = await sql<InstallationRow>(
    tx,
    `${selectInstallation} where i.merchant_id = $1 and i.app_id = $2 and i.state = 'active'`,
    merchantId,
    appId,
  )
  return row ?? null
}

export async function findLiveInstallation(
  q: Queries,
  merchantId: string,
  appId: string,
): Promise<InstallationRow | null> {
  const [row] = await sql<InstallationRow>(
    q,
    `${selectInstallation} where i.merchant_id = $1 and i.app_id = $2 and i.state = 'active'`,
    merchantId,
    appId,
  )
  return row ?? null
}

/** In id order (about the order of installing). */
export function listInstallations(
  q: Queries,
  merchantId: string,
  page: PageRequest,
): Promise<InstallationRow[]> {
  return sql<InstallationRow>(
    q,
    `${selectInstallation} where i.merchant_id = $1 and i.state = 'active' and i.id > $2 order by i.id limit $3::int`,
    merchantId,
    page.after ?? '',
    page.rowsMax,
  )
}

export function listInstallationsOfApp(
  q: Queries,
  appId: string,
  page: PageRequest,
): Promise<InstallationRow[]> {
  return sql<InstallationRow>(
    q,
    `${selectInstallation} where i.app_id = $1 and i.state = 'active' and i.id > $2 order by i.id limit $3::int`,
    appId,
    page.after ?? '',
    page.rowsMax,
  )
}

export interface NewInstallation {
  readonly id: string
  readonly appId: string
  readonly personId: string
  readonly atMs: number
}

export async function insertInstallation(
  tx: Transaction,
  merchantId: string,
  row: NewInstallation,
): Promise<void> {
  await execute(
    tx,
    `insert into installation (id, merchant_id, app_id, state, installed_by, installed_at)
     values ($1, $2, $3, 'active', $4, $5)`,
    row.id,
    merchantId,
    row.appId,
    row.personId,
    toDate(row.atMs),
  )
}

export interface GrantChange {
  readonly grantId: string
  readonly appId: string
  readonly installationId: string
  readonly versionId: string
  readonly granted: readonly string[]
  readonly required: readonly string[]
  readonly optional: readonly string[]
  readonly refused: readonly string[]
  readonly bounds: readonly AuthorizationDetail[]
  readonly consentId: string
  readonly atMs: number
}

/** The installation's one grant: made, or changed with its epoch grown. Gives the epoch. */
export async function putGrant(tx: Transaction, merchantId: string, grant: GrantChange): Promise<number> {
  const [row] = await sql<{ readonly epoch: number }>(
    tx,
    `insert into "grant" (id, merchant_id, app_id, installation_id, version_id, granted, required, optional, refused,
       bounds, consent_id, epoch, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6::text[], $7::text[], $8::text[], $9::text[], $12::jsonb, $10, 1, $11, $11)
     on conflict (installation_id) do update set version_id = excluded.version_id, granted = excluded.granted,
       required = excluded.required, optional = excluded.optional, refused = excluded.refused,
       bounds = excluded.bounds, consent_id = excluded.consent_id, epoch = "grant".epoch + 1, updated_at = excluded.updated_at
     returning epoch`,
    grant.grantId,
    merchantId,
    grant.appId,
    grant.installationId,
    grant.versionId,
    [...grant.granted],
    [...grant.required],
    [...grant.optional],
    [...grant.refused],
    grant.consentId,
    toDate(grant.atMs),
    JSON.stringify(grant.bounds),
  )
  return row?.epoch ?? 1
}

export interface ConsentRecord {
  readonly id: string
  readonly appId: string
  /** Null: a refusal where nothing is installed. */
  readonly installationId: string | null
  readonly versionId: string
  readonly packageSha256: string
  readonly personId: string
  readonly decision: 'granted' | 'refused' | 'withdrawn'
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  /** Agreed to each on its own. */
  readonly separate: readonly string[]
  readonly locale: string
  readonly textSha256: string
  readonly requestId: string
  readonly atMs: number
}

/** Append-only. */
export async function insertConsent(
  tx: Transaction,
  merchantId: string,
  consent: ConsentRecord,
): Promise<void> {
  await execute(
    tx,
    `insert into consent (id, merchant_id, app_id, installation_id, version_id, package_sha256, person_id, decision,
       granted, refused, separate, locale, text_sha256, request_id, decided_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10::text[], $11::text[], $12, $13, $14, $15)`,
    consent.id,
    merchantId,
    consent.appId,
    consent.installationId,
    consent.versionId,
    consent.packageSha256,
    consent.personId,
    consent.decision,
    [...consent.granted],
    [...consent.refused],
    [...consent.separate],
    consent.locale,
    consent.textSha256,
    consent.requestId,
    toDate(consent.atMs),
  )
}

/** A person's last decision about an app for a merchant since then. */
export async function findLastDecision(
  q: Queries,
  merchantId: string,
  asked: { readonly appId: string; readonly personId: string; readonly sinceMs: number },
): Promise<{ readonly decision: string; readonly decided_at: DbTime } | null> {
  const [row] = await sql<{ decision: string; decided_at: DbTime }>(
    q,
    `select decision, decided_at from consent
     where merchant_id = $1 and app_id = $2 and person_id = $3 and decided_at > $4
     order by decided_at desc, id desc limit 1`,
    merchantId,
    asked.appId,
    asked.personId,
    toDate(asked.sinceMs),
  )
  return row ?? null
}

export async function findMerchantName(q: Queries, merchantId: string): Promise<string | null> {
  const [row] = await sql<{ name: string }>(q, 'select name from merchant where id = $1', merchantId)
  return row?.name ?? null
}

/** Across tenants: when the platform's staff approved a version is told to everybody who may install it; null: never. */
export async function findReviewedAt(q: Queries, versionId: string): Promise<number | null> {
  const [row] = await sql<{ decided_at: DbTime }>(
    q,
    `select decided_at from review_case where version_id = $1 and state = 'approved' and decided_at is not null
     order by decided_at desc limit 1`,
    versionId,
  )
  return row?.decided_at.getTime() ?? null
}

/** Ends an installation: its grant is dead, and what the app stored and used up at this merchant is gone. */
export async function endInstallation(
  tx: Transaction,
  merchantId: string,
  end: { readonly installationId: string; readonly personId: string; readonly atMs: number },
): Promise<void> {
  const at = toDate(end.atMs)
  await execute(
    tx,
    `update installation set state = 'uninstalled', uninstalled_by = $3, uninstalled_at = $4
     where merchant_id = $1 and id = $2`,
    merchantId,
    end.installationId,
    end.personId,
    at,
  )
  await execute(
    tx,
    `update "grant" set revoked_at = $3, updated_at = $3, epoch = epoch + 1 where merchant_id = $1 and installation_id = $2`,
    merchantId,
    end.installationId,
    at,
  )
  await execute(
    tx,
    'delete from storage_item where merchant_id = $1 and installation_id = $2',
    merchantId,
    end.installationId,
  )
  // A later installation is another one, with counters of its own.
  await removeCountersOf(tx, { merchantId, installationId: end.installationId })
}

/** Names of those of these ids that are shops of the merchant. */
export async function namesOfShops(
  q: Queries,
  merchantId: string,
  shopIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (shopIds.length === 0) return new Map()
  const rows = await sql<{ id: string; name: string }>(
    q,
    'select id, name from merchant where parent_id = $1 and id = any($2::text[])',
    merchantId,
    [...shopIds],
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}
