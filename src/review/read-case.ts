import type { Catalog } from '../capability/index.ts'
import { present, type Queries } from '../kernel/index.ts'
import { findVersion, readPackageFiles, type VersionView } from '../registry/index.ts'
import { ReviewErrors } from './errors.ts'
import { permissionsOf } from './permissions.ts'
import type { ReviewCase } from './review-case.ts'
import { findCase, listFindings, summarize } from './store.ts'

/** A case with its version. @throws review.case_not_found */
export async function readCase(
  q: Queries,
  caseId: string,
): Promise<{ readonly found: ReviewCase; readonly version: VersionView }> {
  const found = await findCase(q, caseId)
  if (found === null) throw ReviewErrors.case_not_found()
  const version = present(await findVersion(q, found.appId, found.versionId), 'the version of a case')
  return { found, version }
}

/** Everything a reviewer decides by. @throws review.case_not_found */
export async function readCaseDetail(q: Queries, caseId: string, scopes: Catalog['scopes']) {
  const { found, version } = await readCase(q, caseId)
  const [summary] = await summarize(q, [found])
  return {
    summary: present(summary, 'the summary of a case'),
    version,
    permissions: permissionsOf(version.manifest, scopes),
    findings: await listFindings(q, caseId),
    files: await readPackageFiles(q, found.packageSha256),
  }
}
