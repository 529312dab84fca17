import type { PersonCaller } from '../capability/index.ts'
import { assert, present, type Transaction } from '../kernel/index.ts'
import { lockVersion, moveVersion, type VersionView } from '../registry/index.ts'
import { ReviewErrors } from './errors.ts'
import { next, type ReasonText, type ReviewCase } from './review-case.ts'
import { findCase, listFindings, lockCase, updateCase } from './store.ts'

interface DecideCase {
  readonly caseId: string
  readonly decision: 'approve' | 'reject'
  /** The bytes the reviewer has looked at. */
  readonly packageSha256: string
  readonly reasonCode: string | null
  readonly reasonText: ReasonText | null
  readonly reviewer: PersonCaller
  readonly nowMs: number
}

function checkReason({ decision, reasonCode, reasonText }: DecideCase): void {
  if (decision === 'approve') return
  const missing = [
    ...(reasonCode === null ? ['reasonCode'] : []),
    ...(reasonText === null ? ['reasonText'] : []),
  ]
  if (missing.length === 0) return
  throw ReviewErrors.reason_required(undefined, {
    errors: missing.map((member) => ({ pointer: `/${member}`, code: 'required', message: 'is missing' })),
  })
}

function checkReviewer(version: VersionView, reviewer: PersonCaller): void {
  if (reviewer.publishers.has(version.publisherId) || reviewer.personId === version.uploadedBy) {
    throw ReviewErrors.own_app()
  }
}

/**
 * Decides a case and its version in one transaction. Of two decisions at once the second finds the case decided.
 * @throws review.case_not_found, review.own_app, review.reason_required, review.case_state, review.package_differs,
 * review.blocker_found
 */
export async function decideCase(tx: Transaction, input: DecideCase): Promise<ReviewCase> {
  const { caseId, decision, reviewer, nowMs } = input
  const known = await findCase(tx, caseId)
  if (known === null) throw ReviewErrors.case_not_found()
  const version = present(await lockVersion(tx, known.appId, known.versionId), 'the version of a case')
  const open = present(await lockCase(tx, caseId), 'a case that was there')
  assert(open.packageSha256 === version.packageSha256, 'a case is about the bytes of its version')

  checkReviewer(version, reviewer)
  checkReason(input)
  const state = next(open.state, decision)
  if (input.packageSha256 !== open.packageSha256) throw ReviewErrors.package_differs()
  const findings = await listFindings(tx, caseId)
  const blocker = findings.find(({ severity }) => severity === 'blocker')
  if (decision === 'approve' && blocker !== undefined) {
    throw ReviewErrors.blocker_found(`${blocker.ruleId}: ${blocker.message}`)
  }

  const decided: ReviewCase = {
    ...open,
    state,
    decidedBy: reviewer.personId,
    decidedAtMs: nowMs,
    reasonCode: input.reasonCode,
    reasonText: input.reasonText,
  }
  await moveVersion(tx, version, { action: decision, nowMs })
  await updateCase(tx, decided)
  return decided
}
