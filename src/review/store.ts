import type { PageRequest } from '../capability/index.ts'
import { sql } from '../db/index.ts'
import { type DbTime, type IdSource, newId, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import type { Finding, Severity } from './finding.ts'
import type { CaseState, ReasonText, ReviewCase } from './review-case.ts'

interface CaseRow extends Omit<ReviewCase, 'openedAtMs' | 'decidedAtMs' | 'state' | 'reasonText'> {
  readonly state: string
  readonly openedAt: DbTime
  readonly decidedAt: DbTime | null
  /** jsonb: checked by the decision's schema before it was written. */
  readonly reasonText: unknown
}

function toCase(row: CaseRow): ReviewCase {
  const { id, appId, publisherId, versionId, packageSha256, decidedBy, reasonCode } = row
  return {
    ...{ id, appId, publisherId, versionId, packageSha256, decidedBy, reasonCode },
    state: row.state as CaseState,
    openedAtMs: row.openedAt.getTime(),
    decidedAtMs: row.decidedAt?.getTime() ?? null,
    reasonText: row.reasonText as ReasonText | null,
  }
}

interface FindingRow extends Omit<Finding, 'severity'> {
  readonly severity: string
}

function toFinding({ ruleId, severity, message, pointer, path, line }: FindingRow): Finding {
  return { ruleId, severity: severity as Severity, message, pointer, path, line }
}

export async function insertCase(tx: Transaction, opened: ReviewCase): Promise<void> {
  const { id, appId, publisherId, versionId, packageSha256, state, openedAtMs } = opened
  await tx.reviewCase.create({
    data: { id, appId, publisherId, versionId, packageSha256, state, openedAt: toDate(openedAtMs) },
  })
}

/** Across tenants: reviewers and automatic checks work on every publisher's cases. */
export async function findCase(q: Queries, caseId: string): Promise<ReviewCase | null> {
  const row = await q.reviewCase.findUnique({ where: { id: caseId } })
  return row === null ? null : toCase(row)
}

/** As `findCase`, holding the row. Across tenants: for the same reason. */
export async function lockCase(tx: Transaction, caseId: string): Promise<ReviewCase | null> {
  await sql(tx, 'select id from review_case where id = $1 for update', caseId)
  return findCase(tx, caseId)
}

export interface CaseWithFindings extends ReviewCase {
  readonly findings: readonly Finding[]
}

/** The cases of one version, newest first; `after` is a case's id. */
export async function listCasesOfVersion(
  q: Queries,
  publisherId: string,
  versionId: string,
  page: PageRequest,
): Promise<CaseWithFindings[]> {
  const rows = await q.reviewCase.findMany({
    where: { publisherId, versionId },
    include: { findings: { orderBy: { id: 'asc' } } },
    orderBy: [{ openedAt: 'desc' }, { id: 'desc' }],
    take: page.rowsMax,
    ...(page.after === null ? {} : { cursor: { id: page.after }, skip: 1 }),
  })
  return rows.map(({ findings, ...row }) => ({ ...toCase(row), findings: findings.map(toFinding) }))
}

/** Across tenants: the case was found by its reader, who may see all of it. */
export async function listFindings(q: Queries, caseId: string): Promise<Finding[]> {
  const rows = await q.finding.findMany({ where: { reviewCaseId: caseId }, orderBy: { id: 'asc' } })
  return rows.map(toFinding)
}

/** A case with the names a reviewer knows things by. */
export interface CaseSummary extends ReviewCase {
  readonly appName: string
  readonly publisherName: string
  readonly versionCode: number
  readonly versionName: string
  readonly findingCounts: { readonly [S in Severity]: number }
}

interface SummaryRow {
  readonly id: string
  readonly app_name: string
  readonly publisher_name: string
  readonly code: number
  readonly version_name: string
  readonly info: number
  readonly warning: number
  readonly blocker: number
}

/** Across tenants: the reviewers' queue holds every publisher's cases. Oldest first; `after` is a case's id. */
export async function listCases(
  q: Queries,
  page: PageRequest & { readonly states: readonly CaseState[] },
): Promise<CaseSummary[]> {
  const rows = await q.reviewCase.findMany({
    where: { state: { in: [...page.states] } },
    orderBy: [{ openedAt: 'asc' }, { id: 'asc' }],
    take: page.rowsMax,
    ...(page.after === null ? {} : { cursor: { id: page.after }, skip: 1 }),
  })
  return summarize(q, rows.map(toCase))
}

/** Across tenants: adds the names to cases that their reader may see. */
export async function summarize(q: Queries, cases: readonly ReviewCase[]): Promise<CaseSummary[]> {
  const rows = await sql<SummaryRow>(
    q,
    `select c.id, a.name as app_name, p.name as publisher_name, v.code, v.name as version_name,
       count(f.id) filter (where f.severity = 'info')::int as info,
       count(f.id) filter (where f.severity = 'warning')::int as warning,
       count(f.id) filter (where f.severity = 'blocker')::int as blocker
     from review_case c join app a on a.id = c.app_id join publisher p on p.id = c.publisher_id
       join version v on v.id = c.version_id left join finding f on f.review_case_id = c.id
     where c.id = any($1::text[]) group by c.id, a.id, p.id, v.id`,
    cases.map(({ id }) => id),
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  return cases.flatMap((each) => {
    const row = byId.get(each.id)
    if (row === undefined) return []
    const { info, warning, blocker } = row
    return [
      {
        ...each,
        appName: row.app_name,
        publisherName: row.publisher_name,
        versionCode: row.code,
        versionName: row.version_name,
        findingCounts: { info, warning, blocker },
      },
    ]
  })
}

/** Writes state and decision of a case that the transaction holds. */
export async function updateCase(tx: Transaction, changed: ReviewCase): Promise<void> {
  await sql(
    tx,
    `update review_case set state = $3, decided_by = $4, decided_at = $5, reason_code = $6, reason_text = $7::jsonb
     where publisher_id = $1 and id = $2`,
    changed.publisherId,
    changed.id,
    changed.state,
    changed.decidedBy,
    changed.decidedAtMs === null ? null : toDate(changed.decidedAtMs),
    changed.reasonCode,
    changed.reasonText === null ? null : JSON.stringify(changed.reasonText),
  )
}

/** What the last run of the checks found takes the place of what an earlier one did. */
export async function replaceFindings(
  tx: Transaction,
  { id: reviewCaseId }: ReviewCase,
  findings: readonly Finding[],
  ids: IdSource,
): Promise<void> {
  await tx.finding.deleteMany({ where: { reviewCaseId } })
  const createdAt = toDate(ids.clock.nowMs())
  const data = findings.map((finding) => ({ ...finding, id: newId('finding', ids), reviewCaseId, createdAt }))
  await tx.finding.createMany({ data })
}

/** Ids of cases whose checks have not finished. Across tenants: the sweeper wakes all of them. */
export async function listUncheckedCases(q: Queries, rowsMax: number): Promise<string[]> {
  const rows = await q.reviewCase.findMany({
    where: { state: { in: ['submitted', 'checking'] } },
    orderBy: [{ openedAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
    take: rowsMax,
  })
  return rows.map(({ id }) => id)
}
