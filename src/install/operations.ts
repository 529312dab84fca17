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
import { limits, present, type Queries, toIso } from '../kernel/index.ts'
import { OAuthErrors } from '../oauth/index.ts'
import { findOffered, listMarket, type MarketEntry } from '../registry/index.ts'
import { acceptConsent } from './accept-consent.ts'
import {
  type Authorization,
  answerRequest,
  lookUpDevice,
  readRequest,
  readRequestIn,
} from './authorization.ts'
import { InstallErrors } from './errors.ts'
import { installEvents } from './events.ts'
import { readQuestion } from './read-question.ts'
import { findRefusal, refuseConsent } from './refuse-consent.ts'
import {
  consentView,
  installationView,
  installedApp,
  marketApp,
  textSha256,
  toInstallation,
} from './schema.ts'
import { signInToApp } from './sign-in-operation.ts'
import {
  findInstallation,
  findLiveInstallation,
  type InstallationRow,
  listInstallations,
  listInstallationsOfApp,
  lockInstallation,
} from './store.ts'
import { uninstall } from './uninstall.ts'
import { appNameOf } from './words/word-consent.ts'

export interface InstallDependencies {
  /** Read when asked: the catalogue holds these operations too. */
  catalog(): Catalog
  readonly authorization: Authorization
}

const merchantId = idOf('merchant')
const appId = idOf('app')
const installationId = idOf('installation')
const managers = { kind: 'merchant', roles: ['owner', 'manager'] } as const
const members = { kind: 'merchant', roles: ['owner', 'manager', 'staff'] } as const

/** Which request of the app this consent answers. */
const requestRef = {
  interactionUid: schema.optional(
    schema.string({ minLength: 1, maxLength: 64, description: 'Of a request of /oauth/authorize' }),
  ),
  userCode: schema.optional(
    schema.string({ minLength: 1, maxLength: 40, description: 'Of a device that shows a code' }),
  ),
} as const

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
          names: appNameOf(version.manifest),
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
      input: schema.object({ merchantId, appId, ...requestRef }),
      output: consentView,
      errors: [
        InstallErrors.app_not_found,
        InstallErrors.bound_not_offered,
        InstallErrors.two_requests,
        OAuthErrors.interaction_not_found,
        OAuthErrors.user_code_not_found,
        OAuthErrors.too_many_user_codes,
      ],
      async handle({ queries, caller, input, clock }) {
        const { merchantId: merchant, interactionUid, userCode } = input
        const { app, version } = await findOffer(queries, merchant, input.appId, clock.nowMs())
        const existing = await findLiveInstallation(queries, merchant, app.id)
        const { personId } = personOf(caller)
        const { accessType, details: askedDetails } = await readRequest(deps.authorization, queries, {
          ...{ personId, appId: app.id, interactionUid, userCode },
        })
        const asked = await readQuestion(queries, deps.catalog(), {
          ...{ merchantId: merchant, app, version, existing, askedDetails },
        })
        const { required, optional, bounds } = asked.question
        const refusedAtMs = await findRefusal(
          queries,
          { merchantId: merchant, appId: app.id, personId },
          clock.nowMs(),
        )
        return {
          appId: app.id,
          appName: version.manifest.name,
          appNames: appNameOf(version.manifest),
          publisherName: app.publisherName,
          versionId: version.id,
          versionName: version.name,
          installationId: existing?.id ?? null,
          ...{ required, optional, bounds, words: asked.words, textSha256: asked.textSha256 },
          refusedAt: refusedAtMs === null ? null : toIso(refusedAtMs),
          accessType,
        }
      },
    }),
  ]
}

const scopeChoice = schema.array(schema.string({ maxLength: 100 }), { maxItems: 100, uniqueItems: true })
const locale = schema.oneOf(['en', 'zh-CN'])

function refusal(deps: InstallDependencies): Operation {
  return defineOperation({
    id: 'consent.refuse',
    summary: 'Say no to what an app asks; what is installed stays as it is',
    description:
      'Kept with what was shown. For 48 hours /oauth/authorize does not put the question to this person again unless they want to see it.',
    method: 'POST',
    path: '/merchant/v1/merchants/{merchantId}/apps/{appId}/refusals',
    audience: 'merchant',
    access: members,
    kind: 'write',
    input: schema.object({ merchantId, appId, locale }),
    output: schema.nothing,
    errors: [InstallErrors.app_not_found],
    async handle({ tx, caller, input, clock, random, requestId }) {
      const { merchantId: merchant } = input
      const { app, version } = await findOffer(tx, merchant, input.appId, clock.nowMs())
      const existing = await findLiveInstallation(tx, merchant, app.id)
      const question = { merchantId: merchant, app, version, existing, askedDetails: [] }
      const asked = await readQuestion(tx, deps.catalog(), question)
      const refused = { merchantId: merchant, app, version, installationId: existing?.id ?? null }
      const { personId } = personOf(caller)
      const by = { personId, locale: input.locale, requestId }
      await refuseConsent({ tx, ids: { clock, random } }, { ...refused, ...by }, asked)
      return undefined
    },
  })
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

function creation(deps: InstallDependencies): Operation {
  return defineOperation({
    id: 'installation.create',
    summary: 'Agree to what an app asks and install it',
    description:
      'At an app that is installed already, agree anew. separateScopes names the needed scopes whose row says separate: each of them is agreed to on its own. With textSha256 it is refused when the text that was shown is not the present one any more. With interactionUid it also answers the /oauth/authorize request of that id, and redirectTo leads back to the app; with userCode the device that shows the code gets its tokens.',
    method: 'POST',
    path: '/merchant/v1/merchants/{merchantId}/installations',
    audience: 'merchant',
    access: managers,
    kind: 'write',
    input: schema.object({
      merchantId,
      appId,
      versionId: idOf('version'),
      optionalScopes: scopeChoice,
      separateScopes: schema.optional(scopeChoice),
      textSha256: schema.optional(textSha256),
      locale,
      ...requestRef,
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
      InstallErrors.separate_consent_missing,
      InstallErrors.event_undeliverable,
      InstallErrors.bound_not_offered,
      InstallErrors.two_requests,
      OAuthErrors.interaction_not_found,
      OAuthErrors.user_code_not_found,
      OAuthErrors.too_many_user_codes,
    ],
    // Wrong codes count also where nobody looked first.
    async prepare({ caller, input: { userCode } }) {
      if (userCode !== undefined) await lookUpDevice(deps.authorization, personOf(caller).personId, userCode)
    },
    async handle({ tx, publish, caller, input, clock, random, requestId }) {
      const { app, version } = await findOffer(tx, input.merchantId, input.appId, clock.nowMs())
      if (version.id !== input.versionId) throw InstallErrors.version_changed()
      const { personId, credentialId } = personOf(caller)
      const { merchantId: merchant, interactionUid, userCode } = input
      const ref = { interactionUid, userCode }
      const request = await readRequestIn(deps.authorization, tx, { personId, appId: app.id, ...ref })
      const { optionalScopes, separateScopes = [], textSha256: shown = null } = input
      const choice = { optionalScopes, separateScopes, textSha256: shown, locale: input.locale }
      const accepted = await acceptConsent(
        { tx, publish, catalog: deps.catalog(), ids: { clock, random } },
        {
          ...{ merchantId: merchant, personId, app, version, requestId, ...choice },
          askedDetails: request.details,
        },
      )
      const agreement = { ...ref, ...accepted, personId, credentialId, merchantId: merchant }
      const redirectTo = await answerRequest(deps.authorization, tx, agreement)
      const row = present(
        await findInstallation(tx, [input.merchantId], accepted.installationId),
        'the installation',
      )
      return { installation: toInstallation(row), redirectTo }
    },
  })
}

function deletion(deps: InstallDependencies): Operation {
  return defineOperation({
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
  })
}

function appReads(): Operation[] {
  const toInstalled = (row: InstallationRow) => ({
    installationId: row.id,
    merchantId: row.merchant_id,
    scopes: row.granted,
    authorizationDetails: row.bounds,
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
    operations: [
      ...marketReads(deps),
      refusal(deps),
      ...installationReads(),
      creation(deps),
      deletion(deps),
      signInToApp(deps),
      ...appReads(),
    ],
  })
}
