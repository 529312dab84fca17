import {
  appOf,
  byId,
  type Capability,
  type Catalog,
  defineCapability,
  defineOperation,
  idOf,
  installationOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  personOf,
  schema,
  toPage,
} from '../capability/index.ts'
import { limits, present, type Queries, type Transaction, toIso } from '../kernel/index.ts'
import { OAuthErrors } from '../oauth/index.ts'
import { findOffered, listMarket, type MarketEntry } from '../registry/index.ts'
import { acceptConsent } from './accept-consent.ts'
import { toQuestion } from './consent.ts'
import { InstallErrors } from './errors.ts'
import { installEvents } from './events.ts'
import { consentView, installationView, installedApp, marketApp, toInstallation } from './schema.ts'
import {
  findInstallation,
  findLiveInstallation,
  type InstallationRow,
  listInstallations,
  listInstallationsOfApp,
  lockInstallation,
} from './store.ts'
import { uninstall } from './uninstall.ts'

export interface InstallDependencies {
  /** Read when asked: the catalogue holds these operations too. */
  catalog(): Catalog
  readonly authorization: {
    completeAuthorization(
      tx: Transaction,
      input: {
        readonly uid: string
        readonly personId: string
        readonly installationId: string
        readonly merchantId: string
        readonly granted: readonly string[]
        readonly refused: readonly string[]
      },
    ): Promise<string>
    revokeInstallation(tx: Transaction, merchantId: string, installationId: string): Promise<void>
  }
}

const merchantId = idOf('merchant')
const appId = idOf('app')
const installationId = idOf('installation')
const managers = { kind: 'merchant', roles: ['owner', 'manager'] } as const
const members = { kind: 'merchant', roles: ['owner', 'manager', 'staff'] } as const

/** An app this merchant could install now; what its market would not show does not exist for it. */
async function findOffer(q: Queries, merchant: string, id: string, nowMs: number): Promise<MarketEntry> {
  const offer = await findOffered(q, merchant, id, nowMs)
  if (offer === null) throw InstallErrors.app_not_found()
  return offer
}

function marketReads(deps: InstallDependencies): Operation[] {
  return [
    defineOperation({
      id: 'market.list',
      summary: 'Apps this merchant can install',
      method: 'GET',
      path: '/merchant/v1/merchants/{merchantId}/market',
      audience: 'merchant',
      access: members,
      kind: 'read',
      input: schema.object({ merchantId, ...pageInput('app') }),
      output: pageOf(marketApp, limits.pageSizeMax),
      errors: [],
      async handle({ queries, input, clock }) {
        const asked = { ...pageRequestOf(input), nowMs: clock.nowMs() }
        const rows = await listMarket(queries, input.merchantId, asked)
        const toItem = ({ app: { id, publisherName, appClass }, version }: MarketEntry) => ({
          id,
          name: version.manifest.name,
          publisherName,
          class: appClass,
        })
        return toPage(input, rows, { toItem, cursorOf: ({ app }) => app.id })
      },
    }),
    defineOperation({
      id: 'consent.get',
      summary: 'What an app asks of this merchant, in words',
      method: 'GET',
      path: '/merchant/v1/merchants/{merchantId}/apps/{appId}/consent',
      audience: 'merchant',
      access: members,
      kind: 'read',
      input: schema.object({ merchantId, appId }),
      output: consentView,
      errors: [InstallErrors.app_not_found],
      async handle({ queries, input, clock }) {
        const { app, version } = await findOffer(queries, input.merchantId, input.appId, clock.nowMs())
        const existing = await findLiveInstallation(queries, input.merchantId, app.id)
        return {
          appId: app.id,
          appName: version.manifest.name,
          publisherName: app.publisherName,
          versionId: version.id,
          versionName: version.name,
          installationId: existing?.id ?? null,
          ...toQuestion(version.manifest, deps.catalog().scopes, new Set(existing?.granted)),
        }
      },
    }),
  ]
}

function installationReads(): Operation[] {
  return [
    defineOperation({
      id: 'installation.list',
      summary: 'What this merchant has installed',
      method: 'GET',
      path: '/merchant/v1/merchants/{merchantId}/installations',
      audience: 'merchant',
      access: members,
      kind: 'read',
      input: schema.object({ merchantId, ...pageInput('installation') }),
      output: pageOf(installationView, limits.pageSizeMax),
      errors: [],
      async handle({ queries, input }) {
        const rows = await listInstallations(queries, input.merchantId, pageRequestOf(input))
        return toPage(input, rows, { toItem: toInstallation, cursorOf: byId })
      },
    }),
    defineOperation({
      id: 'installation.get',
      summary: 'One installation',
      method: 'GET',
      path: '/merchant/v1/installations/{installationId}',
      audience: 'merchant',
      access: members,
      kind: 'read',
      input: schema.object({ installationId }),
      output: installationView,
      errors: [InstallErrors.not_found],
      async handle({ queries, input, tenantIds, concerns }) {
        const found = await findInstallation(queries, tenantIds, input.installationId)
        if (found === null) throw InstallErrors.not_found()
        concerns(found.merchant_id)
        return toInstallation(found)
      },
    }),
  ]
}

function merchantWrites(deps: InstallDependencies): Operation[] {
  return [
    defineOperation({
      id: 'installation.create',
      summary: 'Agree to what an app asks and install it',
      description:
        'At an app that is installed already, agree anew. With interactionUid it also answers the /oauth/authorize request of that id, and redirectTo leads back to the app.',
      method: 'POST',
      path: '/merchant/v1/merchants/{merchantId}/installations',
      audience: 'merchant',
      access: managers,
      kind: 'write',
      input: schema.object({
        merchantId,
        appId,
        versionId: idOf('version'),
        optionalScopes: schema.array(schema.string({ maxLength: 100 }), { maxItems: 100, uniqueItems: true }),
        locale: schema.oneOf(['en', 'zh-CN']),
        interactionUid: schema.optional(schema.string({ minLength: 1, maxLength: 64 })),
      }),
      output: schema.object({
        installation: installationView,
        redirectTo: schema.nullable(schema.string({ maxLength: 2_048 })),
      }),
      status: 201,
      errors: [
        InstallErrors.app_not_found,
        InstallErrors.version_changed,
        InstallErrors.scope_not_offered,
        InstallErrors.event_undeliverable,
        OAuthErrors.interaction_not_found,
      ],
      async handle({ tx, publish, caller, input, clock, random, requestId }) {
        const { app, version } = await findOffer(tx, input.merchantId, input.appId, clock.nowMs())
        if (version.id !== input.versionId) throw InstallErrors.version_changed()
        const { personId } = personOf(caller)
        const { optionalScopes, locale } = input
        const accepted = await acceptConsent(
          { tx, publish, catalog: deps.catalog(), ids: { clock, random } },
          { merchantId: input.merchantId, personId, app, version, optionalScopes, locale, requestId },
        )
        const redirectTo =
          input.interactionUid === undefined
            ? null
            : await deps.authorization.completeAuthorization(tx, {
                uid: input.interactionUid,
                personId,
                merchantId: input.merchantId,
                ...accepted,
              })
        const row = present(
          await findInstallation(tx, [input.merchantId], accepted.installationId),
          'the installation',
        )
        return { installation: toInstallation(row), redirectTo }
      },
    }),
    defineOperation({
      id: 'installation.delete',
      summary: 'Uninstall: permissions, tokens, deliveries and stored data end at once',
      method: 'DELETE',
      path: '/merchant/v1/installations/{installationId}',
      audience: 'merchant',
      access: managers,
      kind: 'write',
      input: schema.object({ installationId }),
      output: schema.nothing,
      errors: [InstallErrors.not_found, InstallErrors.bad_transition],
      async handle({ tx, publish, caller, input, tenantIds, concerns, clock, random, requestId }) {
        const found = await lockInstallation(tx, tenantIds, input.installationId)
        if (found === null) throw InstallErrors.not_found()
        concerns(found.merchant_id)
        const { personId, locale } = personOf(caller)
        await uninstall(
          { tx, publish, ids: { clock, random }, revokeTokens: deps.authorization.revokeInstallation },
          found,
          { personId, locale, requestId },
        )
        return undefined
      },
    }),
  ]
}

function appReads(): Operation[] {
  const toInstalled = (row: InstallationRow) => ({
    installationId: row.id,
    merchantId: row.merchant_id,
    scopes: row.granted,
    installedAt: toIso(row.installed_at.getTime()),
  })
  return [
    defineOperation({
      id: 'installation.list_own',
      summary: 'Where this app is installed',
      method: 'GET',
      path: '/v1/installations',
      audience: 'app',
      access: { kind: 'app' },
      kind: 'read',
      input: schema.object(pageInput('installation')),
      output: pageOf(installedApp, limits.pageSizeMax),
      errors: [],
      async handle({ queries, caller, input }) {
        const app = appOf(caller)
        // A merchant's token sees that merchant's installation alone.
        if (app.installation !== null) {
          const { merchantId: merchant, installationId: id } = app.installation
          const own = await findInstallation(queries, [merchant], id)
          return toPage(input, own === null ? [] : [own], { toItem: toInstalled, cursorOf: byId })
        }
        const rows = await listInstallationsOfApp(queries, app.appId, pageRequestOf(input))
        return toPage(input, rows, { toItem: toInstalled, cursorOf: byId })
      },
    }),
    defineOperation({
      id: 'installation.get_own',
      summary: 'The installation this token is for, with what the merchant granted',
      method: 'GET',
      path: '/v1/installation',
      audience: 'app',
      access: { kind: 'installation' },
      kind: 'read',
      hostFunction: 'get',
      input: schema.object({}),
      output: installedApp,
      errors: [InstallErrors.not_found],
      async handle({ queries, caller }) {
        const { merchantId: merchant, installationId: id } = installationOf(caller)
        const found = await findInstallation(queries, [merchant], id)
        if (found === null) throw InstallErrors.not_found()
        return toInstalled(found)
      },
    }),
  ]
}

/** Consent, installing and uninstalling. */
export function installCapability(deps: InstallDependencies): Capability {
  return defineCapability({
    id: 'installation',
    summary: 'Market, consent and installations',
    eventTypes: installEvents,
    operations: [...marketReads(deps), ...installationReads(), ...merchantWrites(deps), ...appReads()],
  })
}
