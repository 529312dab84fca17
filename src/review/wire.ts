import { idOf, pageOf, schema } from '../capability/index.ts'
import { limits, toIso } from '../kernel/index.ts'
import type { PackageFiles, VersionView } from '../registry/index.ts'
import { type Finding, inOrder, severities } from './finding.ts'
import type { Permission } from './permissions.ts'
import { caseStates, type ReviewCase } from './review-case.ts'
import type { CaseSummary, CaseWithFindings } from './store.ts'

const findingsMax = 1000
const count = schema.integer({ minimum: 0, maximum: findingsMax })
const shortText = schema.string({ maxLength: 100 })
export const sha256 = schema.string({ maxLength: 64, pattern: '^[0-9a-f]{64}$' })

const reason = schema.string({
  minLength: 10,
  maxLength: 2000,
  // U+0000 cannot stand in a PostgreSQL jsonb.
  pattern: '^[^\\u0000]*\\S[^\\u0000]*$',
  description: 'What is wrong, and what to do about it',
})
export const reasonText = schema.named('ReasonText', schema.object({ en: reason, 'zh-CN': reason }))
export const reasonCode = schema.string({
  maxLength: 60,
  pattern: '^[A-Z][A-Z0-9]*(-[A-Z][A-Z0-9]*)*-[0-9]{3}$',
  examples: ['DATA-PURPOSE-001'],
})

const findingSchema = schema.named(
  'Finding',
  schema.object({
    ruleId: shortText,
    severity: schema.oneOf(severities, { description: 'A blocker must not be approved' }),
    message: schema.string({ maxLength: 20_000 }),
    pointer: schema.nullable(schema.string({ maxLength: 1000, description: 'Place in manifest.json' })),
    path: schema.nullable(schema.string({ maxLength: 255, description: 'File of the package' })),
    line: schema.nullable(schema.integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  }),
)
const findings = schema.array(findingSchema, { maxItems: findingsMax })

function toWireFindings(found: readonly Finding[]) {
  return inOrder(found).slice(0, findingsMax)
}

const decisionMembers = {
  openedAt: schema.time(),
  decidedAt: schema.nullable(schema.time()),
  reasonCode: schema.nullable(reasonCode),
  reasonText: schema.nullable(reasonText),
}

function toDecision({ openedAtMs, decidedAtMs, reasonCode: code, reasonText: text }: ReviewCase) {
  const decidedAt = decidedAtMs === null ? null : toIso(decidedAtMs)
  return { openedAt: toIso(openedAtMs), decidedAt, reasonCode: code, reasonText: text }
}

/** A review as the developer sees it: without the reviewer's name. */
export const Submission = schema.named(
  'Submission',
  schema.object({
    id: idOf('reviewCase'),
    appId: idOf('app'),
    versionId: idOf('version'),
    packageSha256: sha256,
    state: schema.oneOf(caseStates),
    ...decisionMembers,
    findings,
  }),
)

export function toWireSubmission({ findings: found, ...each }: CaseWithFindings) {
  const { id, appId, versionId, packageSha256, state } = each
  return { id, appId, versionId, packageSha256, state, ...toDecision(each), findings: toWireFindings(found) }
}

const caseMembers = {
  id: idOf('reviewCase'),
  appId: idOf('app'),
  appName: shortText,
  publisherId: idOf('publisher'),
  publisherName: shortText,
  versionId: idOf('version'),
  versionCode: schema.integer({ minimum: 1, maximum: 2_147_483_647 }),
  versionName: shortText,
  packageSha256: sha256,
  state: schema.oneOf(caseStates),
  ...decisionMembers,
  decidedBy: schema.nullable(idOf('person')),
  findingCounts: schema.object({ info: count, warning: count, blocker: count }),
}

export const ReviewCaseSummary = schema.named('ReviewCase', schema.object(caseMembers))
export const ReviewCasePage = pageOf(ReviewCaseSummary, limits.pageSizeMax)

export function toWireCase({ openedAtMs: _opened, decidedAtMs: _decided, ...each }: CaseSummary) {
  return { ...each, ...toDecision({ ...each, openedAtMs: _opened, decidedAtMs: _decided }) }
}

const words = schema.object({
  en: schema.string({ maxLength: 500 }),
  'zh-CN': schema.string({ maxLength: 500 }),
})

const permission = schema.named(
  'Permission',
  schema.object({
    scope: shortText,
    required: schema.boolean({ description: 'False: the merchant may refuse it' }),
    title: words,
    consent: words,
    dataCategory: schema.nullable(shortText),
    sensitivity: schema.nullable(schema.oneOf(['basic', 'protected', 'private'])),
    purpose: schema.record(schema.string({ maxLength: 200 }), {
      maxProperties: 20,
      description: 'What the developer says it is for, by locale',
    }),
  }),
)

export const ReviewCaseDetail = schema.named(
  'ReviewCaseDetail',
  schema.object({
    ...caseMembers,
    manifest: schema.json({ description: 'As /schemas/manifest.json describes it' }),
    permissions: schema.array(permission, { maxItems: 100 }),
    findings,
    files: schema.array(
      schema.object({
        path: schema.string({ maxLength: 255 }),
        sizeBytes: schema.integer({ minimum: 0, maximum: limits.packageUnpackedBytesMax }),
      }),
      { maxItems: limits.packageFilesMax },
    ),
  }),
)

interface CaseDetail {
  readonly summary: CaseSummary
  readonly version: VersionView
  readonly permissions: readonly Permission[]
  readonly findings: readonly Finding[]
  readonly files: PackageFiles
}

export function toWireCaseDetail({ summary, version, permissions, findings: found, files }: CaseDetail) {
  return {
    ...toWireCase(summary),
    manifest: version.manifest,
    permissions,
    findings: toWireFindings(found),
    files: [...files].map(([path, content]) => ({ path, sizeBytes: content.length })),
  }
}
