import { schema } from '../capability/index.ts'
import { toIso } from '../kernel/index.ts'
import type { InstallationRow } from './store.ts'

const localized = schema.named(
  'Localized',
  schema.object({ en: schema.string({ maxLength: 500 }), 'zh-CN': schema.string({ maxLength: 500 }) }),
)

const words = schema.object({
  en: schema.string({ maxLength: 2_000 }),
  'zh-CN': schema.string({ maxLength: 2_000 }),
})

const country = schema.string({ maxLength: 2, description: 'ISO 3166-1 alpha-2' })

const recipient = schema.named(
  'DataRecipient',
  schema.object({
    name: schema.string({ maxLength: 100 }),
    country,
    role: schema.oneOf(['entrusted', 'independent']),
    purpose: schema.nullable(localized),
  }),
)

const consentRow = schema.named(
  'ConsentRow',
  schema.object({
    scope: schema.string({ maxLength: 100 }),
    title: localized,
    consent: localized,
    dataCategory: schema.oneOf(['orders', 'customers', 'products', 'settings', 'app-data']),
    sensitivity: schema.oneOf(['basic', 'protected', 'private']),
    access: schema.oneOf(['read', 'write']),
    fields: schema.array(localized, { maxItems: 100 }),
    events: schema.array(localized, { maxItems: 100, description: 'What the app is told as it happens' }),
    developer: schema.object(
      {
        purpose: localized,
        justification: schema.nullable(localized),
        without: schema.nullable(localized),
        retentionDays: schema.nullable(schema.integer({ minimum: 0, maximum: 3_650 })),
        recipients: schema.nullable(schema.array(recipient, { maxItems: 10 })),
      },
      { description: 'What the developer says; null where it says nothing' },
    ),
    separate: schema.boolean({ description: 'Has to be agreed to on its own' }),
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
    type: schema.string({ maxLength: 100, description: 'Of the authorization details (RFC 9396)' }),
    title: localized,
    scope: schema.nullable(schema.string({ maxLength: 100, description: 'The scope it limits' })),
    sentence: schema.object({
      en: schema.string({ maxLength: 20_000 }),
      'zh-CN': schema.string({ maxLength: 20_000 }),
    }),
    detail,
  }),
)

const fact = schema.named(
  'ConsentFact',
  schema.object({ label: words, lines: schema.array(words, { maxItems: 200 }) }),
)
const facts = schema.array(fact, { maxItems: 20 })

const consentItem = schema.named(
  'ConsentItem',
  schema.object({
    subject: schema.string({ maxLength: 100 }),
    title: words,
    sentence: schema.nullable(words),
    badges: schema.array(words, { maxItems: 10 }),
    facts,
    details: schema.nullable(schema.object({ summary: words, facts })),
    choice: schema.nullable(
      schema.object({
        label: words,
        field: schema.oneOf(['optional', 'separate']),
        checked: schema.boolean(),
      }),
    ),
  }),
)

const consentWords = schema.named(
  'ConsentWords',
  schema.object(
    {
      title: words,
      who: schema.array(words, { maxItems: 10 }),
      onlyManagers: words,
      about: facts,
      nothing: schema.nullable(words),
      sections: schema.array(
        schema.object({
          kind: schema.oneOf(['changes', 'required', 'optional', 'separate', 'bounds']),
          heading: words,
          hint: schema.nullable(words),
          items: schema.array(consentItem, { maxItems: 300 }),
        }),
        { maxItems: 5 },
      ),
      outcome: schema.object({ heading: words, facts }),
      links: schema.object({
        privacyPolicy: schema.nullable(
          schema.object({ label: words, href: schema.string({ maxLength: 500 }) }),
        ),
        app: words,
        accessHistory: words,
      }),
      allow: words,
      doNotAllow: words,
    },
    {
      description:
        'The consent page word for word. {person} stands for the name of the person who is asked; everything else is filled in.',
    },
  ),
)

const id = schema.string({ maxLength: 40 })
export const textSha256 = schema.string({
  maxLength: 64,
  pattern: '^[0-9a-f]{64}$',
  description: 'Of the text that the record of the decision keeps',
})
const scopeNames = schema.array(schema.string({ maxLength: 100 }), { maxItems: 100 })

export const consentView = schema.named(
  'ConsentQuestion',
  schema.object({
    appId: id,
    appName: schema.string({ maxLength: 200 }),
    appNames: localized,
    publisherName: schema.string({ maxLength: 200 }),
    versionId: id,
    versionName: schema.string({ maxLength: 50 }),
    installationId: schema.nullable(id),
    required: schema.array(consentRow, { maxItems: 100 }),
    optional: schema.array(consentRow, { maxItems: 100 }),
    bounds: schema.array(consentBound, { maxItems: 50 }),
    words: consentWords,
    textSha256,
    refusedAt: schema.nullable(
      schema.time({ description: 'When this person refused it, less than 48 hours ago' }),
    ),
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
    names: localized,
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
