import { idOf, schema } from '../capability/index.ts'
import { limits, toIso } from '../kernel/index.ts'
import { type AppView, appClasses, visibilities } from './app.ts'
import { type ReleaseView, releaseStates } from './release.ts'
import { type VersionView, versionStates } from './version.ts'

const oneLine = '^(?=.*\\S)[^\\p{Cc}\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$'
const sha256 = schema.string({
  maxLength: 64,
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256, hexadecimal',
})
const personId = schema.string({ maxLength: 40 })
const base64LengthMax = 4 * Math.ceil(limits.packageBytesMax / 3)

export const appName = schema.string({
  minLength: 1,
  maxLength: 50,
  pattern: oneLine,
  description: 'For lists; merchants see the name in the released manifest',
})

const appMembers = {
  id: idOf('app'),
  clientId: schema.string({ maxLength: 30, description: 'OAuth client_id: the same as id' }),
  publisherId: idOf('publisher'),
  name: appName,
  class: schema.oneOf(appClasses),
  visibility: schema.oneOf(visibilities),
  privateMerchantId: schema.nullable(idOf('merchant')),
  createdAt: schema.time(),
}

export const clientSecret = schema.string({
  maxLength: 80,
  description: 'Shown in this answer only; kept as a hash',
})

export const App = schema.named('App', schema.object(appMembers))
export const NewApp = schema.named(
  'NewApp',
  schema.object({ ...appMembers, clientSecret: schema.nullable(clientSecret) }),
)

/** An app as its developers see it. */
export function toWireApp(app: AppView) {
  const { id, publisherId, name, appClass, visibility, privateMerchantId, createdAtMs } = app
  const createdAt = toIso(createdAtMs)
  return { id, clientId: id, publisherId, name, class: appClass, visibility, privateMerchantId, createdAt }
}

const settingsMembers = {
  redirectUris: schema.array(schema.string({ minLength: 1, maxLength: 512 }), {
    maxItems: 10,
    uniqueItems: true,
    description: 'Of those in the released manifest, the ones in use; empty: all',
  }),
  requirePushedRequest: schema.boolean({
    description: 'Only pushed authorization requests (RFC 9126) are answered',
  }),
  requireDpop: schema.boolean({ description: 'Only tokens bound to a key are issued (RFC 9449)' }),
  requirePrivateKeyJwt: schema.boolean({
    description: 'Client secrets are refused; needs a live key',
  }),
}

export const settingsInput = {
  redirectUris: settingsMembers.redirectUris,
  requirePushedRequest: schema.optional(settingsMembers.requirePushedRequest),
  requireDpop: schema.optional(settingsMembers.requireDpop),
  requirePrivateKeyJwt: schema.optional(settingsMembers.requirePrivateKeyJwt),
}

export const Settings = schema.named('AppSettings', schema.object(settingsMembers))

const versionMembers = {
  id: idOf('version'),
  appId: idOf('app'),
  code: schema.integer({ minimum: 1, maximum: 2_147_483_647 }),
  name: schema.string({ maxLength: 40 }),
  state: schema.oneOf(versionStates),
  packageSha256: sha256,
  packageBytes: schema.integer({ minimum: 1, maximum: limits.packageBytesMax }),
  uploadedBy: personId,
  createdAt: schema.time(),
  stateChangedAt: schema.time(),
}

export const Version = schema.named('Version', schema.object(versionMembers))
export const VersionDetail = schema.named(
  'VersionDetail',
  schema.object({
    ...versionMembers,
    manifest: schema.json({ description: 'As /schemas/manifest.json describes it' }),
  }),
)

/** A version as lists show it. */
export function toWireVersion(view: VersionView) {
  const { id, appId, code, name, state, packageSha256, packageBytes, uploadedBy } = view
  const times = { createdAt: toIso(view.createdAtMs), stateChangedAt: toIso(view.stateChangedAtMs) }
  return { id, appId, code, name, state, packageSha256, packageBytes, uploadedBy, ...times }
}

/** A package's bytes inside JSON. */
export const PackageContent = schema.named(
  'PackageContent',
  schema.object({
    packageSha256: sha256,
    sizeBytes: schema.integer({ minimum: 1, maximum: limits.packageBytesMax }),
    mediaType: schema.oneOf(['application/zip']),
    contentBase64: schema.string({ maxLength: base64LengthMax }),
  }),
)

export const Release = schema.named(
  'Release',
  schema.object({
    id: idOf('release'),
    appId: idOf('app'),
    versionId: idOf('version'),
    cohort: schema.string({ maxLength: 100, description: 'all: every installation' }),
    percentage: schema.integer({ minimum: 0, maximum: 100 }),
    state: schema.oneOf(releaseStates),
    createdBy: personId,
    createdAt: schema.time(),
    endedAt: schema.nullable(schema.time()),
  }),
)

/** A release as its developers see it. */
export function toWireRelease({ createdAtMs, endedAtMs, ...release }: ReleaseView) {
  const endedAt = endedAtMs === null ? null : toIso(endedAtMs)
  return { ...release, createdAt: toIso(createdAtMs), endedAt }
}
