import {
  type Access,
  byId,
  type Capability,
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
import { limits } from '../kernel/index.ts'
import { appClasses, visibilities } from './app.ts'
import { changeSettings } from './change-settings.ts'
import { createApp } from './create-app.ts'
import { credentialOperations } from './credential/operations.ts'
import type { RegistryDependencies } from './dependencies.ts'
import { RegistryErrors } from './errors.ts'
import { ownApp } from './own-app.ts'
import { readPackageContent } from './read-package-content.ts'
import { releaseVersion } from './release-version.ts'
import { defaultSettings, withDefaults } from './settings.ts'
import { findOwnVersion, findSettings, listOwnApps, listReleases, listVersions } from './store.ts'
import { checkUpload, storeUpload } from './upload-version.ts'
import {
  App,
  appName,
  NewApp,
  PackageContent,
  Release,
  Settings,
  settingsInput,
  toWireApp,
  toWireRelease,
  toWireVersion,
  Version,
  VersionDetail,
} from './wire.ts'

const readers: Access = { kind: 'publisher', roles: ['owner', 'developer', 'viewer', 'ci'] }
const editors: Access = { kind: 'publisher', roles: ['owner', 'developer'] }
/** Continuous integration uploads versions and submits them for review; people alone release them and set apps. */
const uploaders: Access = { kind: 'publisher', roles: ['owner', 'developer', 'ci'] }

const apps = '/developer/v1/apps'
const appId = idOf('app')
const versionId = idOf('version')

function appCreate(deps: RegistryDependencies): Operation {
  return defineOperation({
    id: 'app.create',
    summary: 'Register an app',
    description:
      'The id is the OAuth client_id. An app with a server gets its first client secret, shown once.',
    method: 'POST',
    path: apps,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      publisherId: idOf('publisher'),
      name: appName,
      class: schema.oneOf(appClasses),
      visibility: schema.optional(schema.oneOf(visibilities, { description: 'Without it: public' })),
      privateMerchantId: schema.optional(idOf('merchant')),
    }),
    output: NewApp,
    status: 201,
    errors: [RegistryErrors.private_merchant_missing, RegistryErrors.merchant_not_found],
    async handle({ tx, caller, input, clock, random }) {
      const { app, clientSecret } = await createApp(tx, deps, {
        publisherId: input.publisherId,
        name: input.name,
        appClass: input.class,
        visibility: input.visibility ?? 'public',
        privateMerchantId: input.privateMerchantId ?? null,
        personId: personOf(caller).personId,
        clock,
        random,
      })
      return { ...toWireApp(app), clientSecret }
    },
  })
}

const appReads = [
  defineOperation({
    id: 'app.list',
    summary: 'List the apps of your publishers, newest first',
    method: 'GET',
    path: apps,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ publisherId: schema.optional(idOf('publisher')), ...pageInput('app') }),
    output: pageOf(App, limits.pageSizeMax),
    errors: [],
    async handle({ queries, tenantIds, input }) {
      const publisherIds = input.publisherId === undefined ? tenantIds : [input.publisherId]
      return toPage(input, await listOwnApps(queries, publisherIds, pageRequestOf(input)), {
        cursorOf: byId,
        toItem: toWireApp,
      })
    },
  }),

  defineOperation({
    id: 'app.get',
    summary: 'Read one app',
    method: 'GET',
    path: `${apps}/{appId}`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId }),
    output: App,
    errors: [RegistryErrors.app_not_found],
    handle: async ({ queries, tenantIds, input }) => toWireApp(await ownApp(queries, tenantIds, input.appId)),
  }),
]

const settingsOperations = [
  defineOperation({
    id: 'app.get_settings',
    summary: 'Read what an app may be set to without a review',
    method: 'GET',
    path: `${apps}/{appId}/settings`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId }),
    output: Settings,
    errors: [RegistryErrors.app_not_found],
    async handle({ queries, tenantIds, input }) {
      const app = await ownApp(queries, tenantIds, input.appId)
      return (await findSettings(queries, app.id)) ?? defaultSettings
    },
  }),

  defineOperation({
    id: 'app.set_settings',
    summary: 'Narrow what the released manifest allows',
    method: 'PUT',
    path: `${apps}/{appId}/settings`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    description: 'Replaces all of them; what is left out goes back to its default.',
    input: schema.object({ appId, ...settingsInput }),
    output: Settings,
    errors: [
      RegistryErrors.app_not_found,
      RegistryErrors.redirect_uri_not_reviewed,
      RegistryErrors.key_missing,
    ],
    async handle({ tx, tenantIds, input: { appId: id, ...given }, clock }) {
      const settings = withDefaults(given)
      await changeSettings(tx, { publisherIds: tenantIds, appId: id, settings, nowMs: clock.nowMs() })
      return settings
    },
  }),
]

function versionUpload(deps: RegistryDependencies): Operation {
  return defineOperation({
    id: 'version.upload',
    summary: 'Upload a package: a draft version',
    description:
      'A ZIP with manifest.json in its root. Everything wrong with it is named in one answer and nothing is kept then. The same bytes again answer the version they already are.',
    method: 'POST',
    path: `${apps}/{appId}/versions`,
    audience: 'developer',
    access: uploaders,
    kind: 'write',
    input: schema.object({ appId }),
    binaryInput: {
      // W3C MiniApp Packaging, Appendix A.1: the container's own media type.
      mediaTypes: ['application/zip', 'application/miniapp-pkg+zip'],
      bytesMax: limits.packageBytesMax,
    },
    output: VersionDetail,
    status: 201,
    errors: [RegistryErrors.app_not_found, RegistryErrors.package_refused],
    prepare: ({ queries, tenantIds, input, body }) =>
      checkUpload(queries, deps, { publisherIds: tenantIds, appId: input.appId, bytes: body }),
    async handle({ tx, caller, tenantIds, input, body, prepared, clock, random }) {
      const request = { publisherIds: tenantIds, appId: input.appId, bytes: body, clock, random }
      const { personId } = personOf(caller)
      const version = await storeUpload(tx, prepared, { ...request, personId })
      return { ...toWireVersion(version), manifest: version.manifest }
    },
  })
}

const versionReads = [
  defineOperation({
    id: 'version.list',
    summary: 'List an app’s versions, highest code first',
    method: 'GET',
    path: `${apps}/{appId}/versions`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, ...pageInput('version') }),
    output: pageOf(Version, limits.pageSizeMax),
    errors: [RegistryErrors.app_not_found],
    async handle({ queries, tenantIds, input }) {
      const app = await ownApp(queries, tenantIds, input.appId)
      return toPage(input, await listVersions(queries, app.id, pageRequestOf(input)), {
        cursorOf: byId,
        toItem: toWireVersion,
      })
    },
  }),

  defineOperation({
    id: 'version.get',
    summary: 'Read one version with its manifest',
    method: 'GET',
    path: `${apps}/{appId}/versions/{versionId}`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, versionId }),
    output: VersionDetail,
    errors: [RegistryErrors.version_not_found],
    async handle({ queries, tenantIds, input }) {
      const version = await findOwnVersion(queries, tenantIds, input.appId, input.versionId)
      if (version === null) throw RegistryErrors.version_not_found()
      return { ...toWireVersion(version), manifest: version.manifest }
    },
  }),

  defineOperation({
    id: 'version.download',
    summary: 'Read a version’s package as it was uploaded',
    method: 'GET',
    path: `${apps}/{appId}/versions/{versionId}/package`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, versionId }),
    output: PackageContent,
    errors: [RegistryErrors.version_not_found],
    async handle({ queries, tenantIds, input }) {
      const version = await findOwnVersion(queries, tenantIds, input.appId, input.versionId)
      if (version === null) throw RegistryErrors.version_not_found()
      return readPackageContent(queries, version)
    },
  }),
]

const releaseOperations = [
  defineOperation({
    id: 'release.create',
    summary: 'Release an approved version to every installation; the release before it ends',
    method: 'POST',
    path: `${apps}/{appId}/releases`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({ appId, versionId }),
    output: Release,
    status: 201,
    errors: [
      RegistryErrors.app_not_found,
      RegistryErrors.version_not_found,
      RegistryErrors.version_not_approved,
    ],
    async handle({ tx, caller, tenantIds, input, clock, random }) {
      const { personId } = personOf(caller)
      const request = { ...input, publisherIds: tenantIds, personId, clock, random }
      return toWireRelease(await releaseVersion(tx, request))
    },
  }),

  defineOperation({
    id: 'release.list',
    summary: 'List an app’s releases, newest first',
    method: 'GET',
    path: `${apps}/{appId}/releases`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, ...pageInput('release') }),
    output: pageOf(Release, limits.pageSizeMax),
    errors: [RegistryErrors.app_not_found],
    async handle({ queries, tenantIds, input }) {
      const app = await ownApp(queries, tenantIds, input.appId)
      return toPage(input, await listReleases(queries, app.id, pageRequestOf(input)), {
        cursorOf: byId,
        toItem: toWireRelease,
      })
    },
  }),
]

/** What developers do with apps, secrets, versions and releases. */
export function registryCapability(deps: RegistryDependencies): Capability {
  return defineCapability({
    id: 'registry',
    summary: 'Apps, their secrets, versions and releases',
    operations: [
      appCreate(deps),
      ...appReads,
      ...settingsOperations,
      ...credentialOperations(deps),
      versionUpload(deps),
      ...versionReads,
      ...releaseOperations,
    ],
  })
}
