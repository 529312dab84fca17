import {
  type Access,
  byId,
  type Capability,
  type Catalog,
  defineCapability,
  defineOperation,
  idOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  personOf,
  schema,
  toPage,
} from '../capability/index.ts'
import { afterCommit } from '../db/index.ts'
import { limits, present, type Queries } from '../kernel/index.ts'
import {
  findOwnVersion,
  PackageContent,
  RegistryErrors,
  readPackageContent,
  toWireVersion,
  Version,
} from '../registry/index.ts'
import { decideCase } from './decide-case.ts'
import { ReviewErrors } from './errors.ts'
import { readCase, readCaseDetail } from './read-case.ts'
import { caseStates, openStates, type ReviewCase } from './review-case.ts'
import { listCases, listCasesOfVersion, summarize } from './store.ts'
import { submitVersion } from './submit-version.ts'
import {
  ReviewCaseDetail,
  ReviewCasePage,
  ReviewCaseSummary,
  reasonCode,
  reasonText,
  Submission,
  sha256,
  toWireCase,
  toWireCaseDetail,
  toWireSubmission,
} from './wire.ts'
import { withdrawVersion } from './withdraw-version.ts'

/** What platform.ts gives to the review. */
export interface ReviewDependencies {
  /** Read when asked: the review's own operations are part of the catalogue. */
  readonly catalog: () => Pick<Catalog, 'scopes'>
  /** Called after a case is opened; `makeWakeChecks` makes it. */
  readonly wakeChecks: (caseId: string) => Promise<void>
}

const version = '/developer/v1/apps/{appId}/versions/{versionId}'
const versionInput = { appId: idOf('app'), versionId: idOf('version') }
const submitters: Access = { kind: 'publisher', roles: ['owner', 'developer', 'ci'] }
const readers: Access = { kind: 'publisher', roles: ['owner', 'developer', 'viewer', 'ci'] }
const editors: Access = { kind: 'publisher', roles: ['owner', 'developer'] }

function developerOperations({ wakeChecks }: ReviewDependencies): readonly Operation[] {
  return [
    defineOperation({
      id: 'version.submit',
      summary: 'Submit a draft version for review',
      description: 'The automatic checks begin at once; the decision is about exactly these bytes.',
      method: 'POST',
      path: `${version}/submissions`,
      audience: 'developer',
      access: submitters,
      kind: 'write',
      input: schema.object(versionInput),
      output: Submission,
      status: 201,
      errors: [RegistryErrors.version_not_found, RegistryErrors.version_state],
      async handle({ tx, tenantIds, input, clock, random }) {
        const opened = await submitVersion(tx, { publisherIds: tenantIds, ...input, clock, random })
        afterCommit(tx, () => wakeChecks(opened.id))
        return toWireSubmission({ ...opened, findings: [] })
      },
    }),

    defineOperation({
      id: 'submission.list',
      summary: 'Read how the review of a version goes, newest first',
      method: 'GET',
      path: `${version}/submissions`,
      audience: 'developer',
      access: readers,
      kind: 'read',
      input: schema.object({ ...versionInput, ...pageInput('reviewCase') }),
      output: pageOf(Submission, limits.pageSizeMax),
      errors: [RegistryErrors.version_not_found],
      async handle({ queries, tenantIds, input }) {
        const own = await findOwnVersion(queries, tenantIds, input.appId, input.versionId)
        if (own === null) throw RegistryErrors.version_not_found()
        const cases = await listCasesOfVersion(queries, own.publisherId, own.id, pageRequestOf(input))
        return toPage(input, cases, { cursorOf: byId, toItem: toWireSubmission })
      },
    }),

    defineOperation({
      id: 'version.withdraw',
      summary: 'Take back a version that is not released, and its open review',
      method: 'POST',
      path: `${version}:withdraw`,
      audience: 'developer',
      access: editors,
      kind: 'write',
      input: schema.object(versionInput),
      output: Version,
      errors: [RegistryErrors.version_not_found, RegistryErrors.version_state],
      async handle({ tx, tenantIds, input, clock }) {
        const request = { publisherIds: tenantIds, ...input, nowMs: clock.nowMs() }
        return toWireVersion(await withdrawVersion(tx, request))
      },
    }),
  ]
}

const staff: Access = { kind: 'staff', roles: ['reviewer', 'operator'] }
const caseId = idOf('reviewCase')

async function summaryOf(q: Queries, found: ReviewCase) {
  const [summary] = await summarize(q, [found])
  return toWireCase(present(summary, 'the summary of a case'))
}

function reviewerReads({ catalog }: ReviewDependencies): readonly Operation[] {
  return [
    defineOperation({
      id: 'review_case.list',
      summary: 'List review cases, oldest first; without a state the open ones',
      method: 'GET',
      path: '/review/v1/cases',
      audience: 'reviewer',
      access: staff,
      kind: 'read',
      input: schema.object({
        state: schema.optional(schema.oneOf(caseStates)),
        ...pageInput('reviewCase'),
      }),
      output: ReviewCasePage,
      errors: [],
      async handle({ queries, input }) {
        const states = input.state === undefined ? openStates : [input.state]
        const cases = await listCases(queries, { states, ...pageRequestOf(input) })
        return toPage(input, cases, { cursorOf: byId, toItem: toWireCase })
      },
    }),

    defineOperation({
      id: 'review_case.get',
      summary: 'Read a case: manifest, permissions in words, findings and files',
      method: 'GET',
      path: '/review/v1/cases/{caseId}',
      audience: 'reviewer',
      access: staff,
      kind: 'read',
      input: schema.object({ caseId }),
      output: ReviewCaseDetail,
      errors: [ReviewErrors.case_not_found],
      handle: async ({ queries, input }) =>
        toWireCaseDetail(await readCaseDetail(queries, input.caseId, catalog().scopes)),
    }),

    defineOperation({
      id: 'review_case.download',
      summary: 'Read the package that a case is about',
      method: 'GET',
      path: '/review/v1/cases/{caseId}/package',
      audience: 'reviewer',
      access: staff,
      kind: 'read',
      input: schema.object({ caseId }),
      output: PackageContent,
      errors: [ReviewErrors.case_not_found],
      async handle({ queries, input }) {
        const { found } = await readCase(queries, input.caseId)
        return readPackageContent(queries, found)
      },
    }),
  ]
}

const caseDecide = defineOperation({
  id: 'review_case.decide',
  summary: 'Approve or reject the version of a case',
  description: 'Final, and about the bytes named in packageSha256. A release is the developer’s own step.',
  method: 'POST',
  path: '/review/v1/cases/{caseId}/decisions',
  audience: 'reviewer',
  access: { kind: 'staff', roles: ['reviewer'] },
  kind: 'write',
  input: schema.object({
    caseId,
    decision: schema.oneOf(['approve', 'reject']),
    packageSha256: sha256,
    reasonCode: schema.optional(reasonCode),
    reasonText: schema.optional(reasonText),
  }),
  output: ReviewCaseSummary,
  errors: [
    ReviewErrors.case_not_found,
    ReviewErrors.own_app,
    ReviewErrors.reason_required,
    ReviewErrors.case_state,
    ReviewErrors.package_differs,
    ReviewErrors.blocker_found,
  ],
  async handle({ tx, caller, input, clock }) {
    const { reasonCode: code = null, reasonText: text = null, ...decision } = input
    const reviewer = personOf(caller)
    const reason = { reasonCode: code, reasonText: text }
    return summaryOf(tx, await decideCase(tx, { ...decision, ...reason, reviewer, nowMs: clock.nowMs() }))
  },
})

/** How a version becomes one that may be released. */
export function reviewCapability(deps: ReviewDependencies): Capability {
  return defineCapability({
    id: 'review',
    summary: 'The review of versions before they may be released',
    operations: [...developerOperations(deps), ...reviewerReads(deps), caseDecide],
  })
}
