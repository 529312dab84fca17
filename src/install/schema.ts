import { schema } from '../capability/index.ts'
import { toIso } from '../kernel/index.ts'
import type { InstallationRow } from './store.ts'

const localized = schema.named(
  'Localized',
  schema.object({ en: schema.string({ maxLength: 500 }), 'zh-CN': schema.string({ maxLength: 500 }) }),
)

const consentRow = schema.named(
  'ConsentRow',
  schema.object({
    scope: schema.string({ maxLength: 100 }),
    title: localized,
    consent: localized,
    purpose: localized,
    dataCategory: schema.oneOf(['orders', 'customers', 'products', 'settings', 'app-data']),
    sensitivity: schema.oneOf(['basic', 'protected', 'private']),
    granted: schema.boolean(),
  }),
)

const detail = schema.record(schema.json(), {
  maxProperties: 20,
  description: 'RFC 9396: type, and the members of that type',
})
const details = schema.array(detail, { maxItems: 50 })

const consentBound = schema.named(
  'ConsentBound',
  schema.object({
    type: schema.string({ maxLength: 100 }),
    scope: schema.nullable(schema.string({ maxLength: 100, description: 'The scope it limits' })),
    sentence: schema.object({
      en: schema.string({ maxLength: 20_000 }),
      'zh-CN': schema.string({ maxLength: 20_000 }),
    }),
    detail,
  }),
)

const id = schema.string({ maxLength: 40 })
const scopeNames = schema.array(schema.string({ maxLength: 100 }), { maxItems: 100 })

export const consentView = schema.named(
  'ConsentQuestion',
  schema.object({
    appId: id,
    appName: schema.string({ maxLength: 200 }),
    publisherName: schema.string({ maxLength: 200 }),
    versionId: id,
    versionName: schema.string({ maxLength: 50 }),
    installationId: schema.nullable(id),
    required: schema.array(consentRow, { maxItems: 100 }),
    optional: schema.array(consentRow, { maxItems: 100 }),
    bounds: schema.array(consentBound, { maxItems: 50 }),
    accessType: schema.oneOf(['offline', 'online'], {
      description: 'online: the app signs this person in; offline: it acts as the installation',
    }),
  }),
)

export const marketApp = schema.named(
  'MarketApp',
  schema.object({
    id,
    name: schema.string({ maxLength: 200 }),
    publisherName: schema.string({ maxLength: 200 }),
    class: schema.string({ maxLength: 20 }),
  }),
)

export const installationView = schema.named(
  'Installation',
  schema.object({
    id,
    merchantId: id,
    appId: id,
    appName: schema.string({ maxLength: 200 }),
    state: schema.oneOf(['active', 'uninstalled']),
    versionId: id,
    granted: scopeNames,
    refused: scopeNames,
    authorizationDetails: details,
    installedAt: schema.time(),
    uninstalledAt: schema.nullable(schema.time()),
  }),
)

export const installedApp = schema.named(
  'InstalledApp',
  schema.object({
    installationId: id,
    merchantId: id,
    scopes: scopeNames,
    authorizationDetails: details,
    installedAt: schema.time(),
  }),
)

/** A row as it travels on the wire. */
export function toInstallation(row: InstallationRow) {
  return {
    id: row.id,
    merchantId: row.merchant_id,
    appId: row.app_id,
    appName: row.app_name,
    state: row.state,
    versionId: row.version_id,
    granted: row.granted,
    refused: row.refused,
    authorizationDetails: row.bounds,
    installedAt: toIso(row.installed_at.getTime()),
    uninstalledAt: row.uninstalled_at === null ? null : toIso(row.uninstalled_at.getTime()),
  }
}
