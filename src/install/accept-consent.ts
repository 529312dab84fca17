import type { AuthorizationDetail, Catalog, Publish } from '../capability/index.ts'
import { putBlob } from '../db/index.ts'
import { endSubscriptions } from '../events/index.ts'
import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import type { AppView, VersionView } from '../registry/index.ts'
import { boundsOf, idsIn, toBounds } from './bounds.ts'
import { type ConsentQuestion, type Decision, decide, toQuestion } from './consent.ts'
import { InstallErrors } from './errors.ts'
import { next } from './installation.ts'
import { insertConsent, insertInstallation, lockLiveInstallation, namesOfShops, putGrant } from './store.ts'
import { subscribeInstallation } from './subscribe-installation.ts'

export interface AcceptInput {
  readonly merchantId: string
  readonly personId: string
  readonly app: AppView
  readonly version: VersionView
  readonly optionalScopes: readonly string[]
  /** What the app's request narrows the manifest's bounds to; empty: nothing. */
  readonly askedDetails: readonly AuthorizationDetail[]
  readonly locale: string
  readonly requestId: string
}

interface AcceptContext {
  readonly tx: Transaction
  readonly publish: Publish
  readonly catalog: Catalog
  readonly ids: IdSource
}

export interface Accepted {
  readonly installationId: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  readonly details: readonly AuthorizationDetail[]
}

function decideAll(question: ConsentQuestion, chosen: readonly string[]): Decision {
  const decision = decide(question, chosen)
  if (decision.unknown.length === 0) return decision
  throw InstallErrors.scope_not_offered(`not offered: ${decision.unknown.join(', ')}`)
}

async function recordConsent(
  { tx, ids }: AcceptContext,
  input: AcceptInput,
  installationId: string,
  question: ConsentQuestion & { readonly bounds: readonly unknown[] },
  decision: Decision,
): Promise<string> {
  const consentId = newId('consent', ids)
  // Exactly what was asked, kept by hash, so that it can be shown again word for word.
  const appName = input.version.manifest.name
  const text = JSON.stringify({ locale: input.locale, appName, ...question })
  await insertConsent(tx, input.merchantId, {
    id: consentId,
    appId: input.app.id,
    installationId,
    versionId: input.version.id,
    packageSha256: input.version.packageSha256,
    personId: input.personId,
    decision: 'granted',
    granted: decision.granted,
    refused: decision.refused,
    locale: input.locale,
    textSha256: await putBlob(tx, Buffer.from(text)),
    requestId: input.requestId,
    atMs: ids.clock.nowMs(),
  })
  return consentId
}

/**
 * The merchant agrees: installation, consent record, grant, subscriptions and event in the caller's transaction.
 * At an app that is installed already it changes the grant.
 */
export async function acceptConsent(context: AcceptContext, input: AcceptInput): Promise<Accepted> {
  const { tx, catalog, ids } = context
  const { merchantId, app, version } = input
  const existing = await lockLiveInstallation(tx, merchantId, app.id)
  next(existing?.state ?? 'none', 'accept')
  const question = toQuestion(version.manifest, catalog.scopes, new Set(existing?.granted))
  const decision = decideAll(question, input.optionalScopes)
  const { boundTypes } = catalog
  const names = await namesOfShops(tx, merchantId, idsIn(boundTypes, input.askedDetails))
  const declared = version.manifest.stoa_authorization_details ?? []
  const bounds = toBounds({ boundTypes, declared, asked: input.askedDetails, names })
  const details = boundsOf(bounds, decision.granted)

  const installationId = existing?.id ?? newId('installation', ids)
  const atMs = ids.clock.nowMs()
  if (existing === null)
    await insertInstallation(tx, merchantId, {
      id: installationId,
      appId: app.id,
      personId: input.personId,
      atMs,
    })

  const consentId = await recordConsent(context, input, installationId, { ...question, bounds }, decision)
  await putGrant(tx, merchantId, {
    grantId: newId('grant', ids),
    appId: app.id,
    installationId,
    versionId: version.id,
    granted: decision.granted,
    required: question.required.map(({ scope }) => scope),
    optional: question.optional.map(({ scope }) => scope),
    refused: decision.refused,
    bounds: details,
    consentId,
    atMs,
  })
  const { granted, refused } = decision
  const keptIds = await subscribeInstallation(
    tx,
    catalog,
    { merchantId, installationId, appId: app.id, appClass: app.appClass, granted, version },
    ids,
  )
  // What waits in the others was promised under the grant of before; what waits in these is still owed.
  if (existing !== null) await endSubscriptions(tx, { merchantId, installationId, keptIds }, ids.clock)
  await context.publish({
    type: existing === null ? 'app.installed' : 'grant.changed',
    merchantId,
    subject: installationId,
    data: { installationId, appId: app.id, scopes: granted },
  })
  return { installationId, granted, refused, details }
}
