import type { Program, ProgramCheck } from '../../runtime/node/index.ts'
import type { Manifest } from '../../runtime/package/index.ts'
import type { Catalog } from '../capability/index.ts'
import type { Db } from '../db/index.ts'
import { type Clock, KernelErrors, type Log, present, type Random, sha256Hex } from '../kernel/index.ts'
import { findApp, findVersion, readPackageFiles } from '../registry/index.ts'
import { type CheckSubject, runAutomaticChecks } from './automatic-checks/index.ts'
import { allows, next, type ReviewCase } from './review-case.ts'
import { lockCase, replaceFindings, updateCase } from './store.ts'

/** What the automatic checks need; `sandbox` is the pool of runtime/node. */
export interface CheckDependencies {
  readonly db: Pick<Db, 'queries' | 'tx'>
  readonly sandbox: { check(program: Program): Promise<ProgramCheck> }
  readonly catalog: () => Pick<Catalog, 'hostFunctions' | 'scopes'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What stopped the sandbox, not the program: the check is repeated later. */
const notThePrograms = new Set(['sandbox.pool_full', 'sandbox.closed'])

/** Puts the case into checking; null when there is nothing to check any more. */
function begin({ db }: CheckDependencies, caseId: string): Promise<ReviewCase | null> {
  return db.tx(async (tx) => {
    const found = await lockCase(tx, caseId)
    if (found === null || !allows(found.state, 'check')) return null
    const checking = { ...found, state: next(found.state, 'check') }
    await updateCase(tx, checking)
    return checking
  })
}

async function checkHandlers(
  { db, sandbox, catalog }: CheckDependencies,
  { packageSha256 }: ReviewCase,
  { stoa_handlers }: Manifest,
): Promise<CheckSubject['handlers']> {
  if (stoa_handlers === undefined) return null
  const path = stoa_handlers.normalize('NFC')
  const files = await readPackageFiles(db.queries, packageSha256)
  const source = Buffer.from(present(files.get(path), 'the handlers that the upload checked')).toString(
    'utf8',
  )
  const hostFunctions = [...catalog().hostFunctions.keys()]
  const result = await sandbox.check({ id: sha256Hex(source), source, fileName: path, hostFunctions })
  if (!result.ok && notThePrograms.has(result.problem.code)) {
    throw KernelErrors.unavailable(`the sandbox is busy: ${result.problem.code}`)
  }
  return { path, result }
}

async function readSubject(deps: CheckDependencies, checking: ReviewCase): Promise<CheckSubject> {
  const { queries } = deps.db
  const app = present(await findApp(queries, checking.appId), 'the app of a case')
  const version = await findVersion(queries, checking.appId, checking.versionId)
  const { manifest } = present(version, 'the version of a case')
  const sensitivities = new Map([...deps.catalog().scopes].map(([name, scope]) => [name, scope.sensitivity]))
  const handlers = await checkHandlers(deps, checking, manifest)
  return { appClass: app.appClass, manifest, sensitivities, handlers }
}

/**
 * Runs the automatic checks of a case and hands it to the reviewers. May be called at any time and twice at once: the
 * case's row says what is left to do, and only the first to finish writes.
 * @throws kernel.unavailable when the sandbox takes no more work; the case stays in checking
 */
export async function checkCase(deps: CheckDependencies, caseId: string): Promise<void> {
  const checking = await begin(deps, caseId)
  if (checking === null) return
  const findings = runAutomaticChecks(await readSubject(deps, checking))
  const isFirst = await deps.db.tx(async (tx) => {
    const found = await lockCase(tx, caseId)
    if (found === null || !allows(found.state, 'finish')) return false
    await replaceFindings(tx, found, findings, deps)
    await updateCase(tx, { ...found, state: next(found.state, 'finish') })
    return true
  })
  if (!isFirst) return
  const rules = findings.map(({ ruleId }) => ruleId)
  const { appId, versionId } = checking
  deps.log.info({ caseId, appId, versionId, rules }, 'review.case_checked')
}
