import type { AuthorizationDetail, Catalog, Publish } from '../capability/index.ts'
import { putBlob } from '../db/index.ts'
import { endSubscriptions } from '../events/index.ts'
import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import type { AppView, VersionView } from '../registry/index.ts'
import { boundsOf } from './bounds.ts'
import { type ConsentQuestion, type Decision, decide } from './consent.ts'
import { InstallErrors } from './errors.ts'
import { next } from './installation.ts'
import { type AskedConsent, readQuestion } from './read-question.ts'
import { insertConsent, insertInstallation, lockLiveInstallation, putGrant } from './store.ts'
import { subscribeInstallation } from './subscribe-installation.ts'

export interface AcceptInput {
  readonly merchantId: string
  readonly personId: string
  readonly app: AppView
  readonly version: VersionView
  readonly optionalScopes: readonly string[]
  /** Agreed to each on its own. */
  readonly separateScopes: readonly string[]
  /** Of the text that was shown; null: the caller showed one of its own. */
  readonly textSha256: string | null
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

function decideAll(question: ConsentQuestion, input: AcceptInput): Decision {
  const decision = decide(question, { optional: input.optionalScopes, separate: input.separateScopes })
  const { unknown, missing } = decision
  if (unknown.length > 0) throw InstallErrors.scope_not_offered(`not offered: ${unknown.join(', ')}`)
  if (missing.length === 0) return decision
  throw InstallErrors.separate_consent_missing(`not agreed to separately: ${missing.join(', ')}`)
}

async function recordConsent(
  { tx, ids }: AcceptContext,
  input: AcceptInput,
  installationId: string,
  { text }: AskedConsent,
  decision: Decision,
): Promise<string> {
  const consentId = newId('consent', ids)
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
    separate: decision.separate,
    locale: input.locale,
    // Exactly what was shown, kept by hash, so that it can be shown again word for word.
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
  const { askedDetails } = input
  const asked = await readQuestion(tx, catalog, { merchantId, app, version, existing, askedDetails })
  const { question } = asked
  if (input.textSha256 !== null && input.textSha256 !== asked.textSha256)
    throw InstallErrors.version_changed()
  const decision = decideAll(question, input)
  const details = boundsOf(question.bounds, decision.granted)

  const installationId = existing?.id ?? newId('installation', ids)
  const atMs = ids.clock.nowMs()
  if (existing === null)
    await insertInstallation(tx, merchantId, {
      id: installationId,
      appId: app.id,
      personId: input.personId,
      atMs,
    })

  const consentId = await recordConsent(context, input, installationId, asked, decision)
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
