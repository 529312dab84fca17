import {
  type Manifest,
  type ManifestContext,
  type MiniAppPackage,
  type Problem,
  readPackage,
  validateManifest,
} from '../../runtime/package/index.ts'
import { putBlob } from '../db/index.ts'
import {
  assert,
  type IdSource,
  type InputProblem,
  newId,
  type Queries,
  type StoaError,
  type Transaction,
} from '../kernel/index.ts'
import type { AppView } from './app.ts'
import { checkHandlers } from './check-handlers.ts'
import { checkManifestSchema } from './check-manifest-schema.ts'
import type { RegistryDependencies } from './dependencies.ts'
import { RegistryErrors } from './errors.ts'
import { findOwnApp, findVersionByPackage, insertVersion, lockOwnApp, newestVersionCode } from './store.ts'
import type { VersionView } from './version.ts'

/** A package in which nothing was found wrong when it was checked. */
export interface CheckedUpload {
  readonly package: MiniAppPackage
  readonly context: ManifestContext
}

interface UploadRequest {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly bytes: Uint8Array
}

/** Container problems have no place in the manifest; their message names the file. */
function toInputProblem({ pointer, code, message, fix }: Problem): InputProblem {
  return { pointer: pointer ?? '', code, message, fix }
}

function refused(errors: readonly InputProblem[]): StoaError {
  const count = errors.length === 1 ? 'One thing is' : `${errors.length} things are`
  return RegistryErrors.package_refused(`${count} wrong with the package; nothing was stored.`, { errors })
}

function contextOf(
  { catalog }: RegistryDependencies,
  { app, files }: { readonly app: AppView; readonly files: ReadonlyMap<string, Uint8Array> },
): Omit<ManifestContext, 'previousVersionCode'> {
  const { scopes, eventTypes, boundTypes } = catalog()
  return {
    checkSchema: checkManifestSchema,
    files,
    knownScopes: scopes,
    knownEventTypes: eventTypes,
    knownDetailTypes: boundTypes,
    appClass: app.appClass,
  }
}

/**
 * All checks of an upload, without the database's lock: container, manifest and syntax, all problems in one answer.
 * @throws registry.app_not_found, registry.package_refused
 */
export async function checkUpload(
  q: Queries,
  deps: RegistryDependencies,
  { publisherIds, appId, bytes }: UploadRequest,
): Promise<CheckedUpload> {
  const app = await findOwnApp(q, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  const read = await readPackage(bytes)
  if (!read.ok) throw refused(read.problems.map(toInputProblem))
  const { files, manifest, sha256 } = read.package
  const previousVersionCode = await newestVersionCode(q, app.id)
  const context = { ...contextOf(deps, { app, files }), previousVersionCode }
  // Its own code would be in its way, and what is known has been checked.
  if ((await findVersionByPackage(q, app.id, sha256)) !== null) return { package: read.package, context }
  const validated = validateManifest(manifest, context)
  const errors = [
    ...(validated.ok ? [] : validated.problems.map(toInputProblem)),
    ...(await checkHandlers(manifest, files)),
  ]
  if (errors.length > 0) throw refused(errors)
  return { package: read.package, context }
}

/** The manifest once more, now that nobody else can upload: another upload may have taken its code meanwhile. */
function manifestOf({ package: { manifest }, context }: CheckedUpload, newestCode: number | null): Manifest {
  const validated = validateManifest(manifest, { ...context, previousVersionCode: newestCode })
  if (!validated.ok) throw refused(validated.problems.map(toInputProblem))
  return validated.manifest
}

/**
 * Keeps a checked package as a draft version. The same bytes again are the same version: it is answered as it is.
 * @throws registry.app_not_found, registry.package_refused
 */
export async function storeUpload(
  tx: Transaction,
  checked: CheckedUpload,
  { publisherIds, appId, bytes, personId, ...ids }: UploadRequest & IdSource & { readonly personId: string },
): Promise<VersionView> {
  const app = await lockOwnApp(tx, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  const { sha256, sizeBytes } = checked.package
  const known = await findVersionByPackage(tx, app.id, sha256)
  if (known !== null) return known
  const manifest = manifestOf(checked, await newestVersionCode(tx, app.id))
  const stored = await putBlob(tx, bytes)
  assert(stored === sha256, 'the bytes that were checked are the bytes that are kept')
  const nowMs = ids.clock.nowMs()
  const version: VersionView = {
    id: newId('version', ids),
    appId: app.id,
    publisherId: app.publisherId,
    code: manifest.version.code,
    name: manifest.version.name,
    state: 'draft',
    manifest,
    packageSha256: sha256,
    packageBytes: sizeBytes,
    uploadedBy: personId,
    createdAtMs: nowMs,
    stateChangedAtMs: nowMs,
  }
  await insertVersion(tx, version)
  return version
}
