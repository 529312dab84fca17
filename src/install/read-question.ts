import type { AuthorizationDetail, Catalog } from '../capability/index.ts'
import { present, type Queries, sha256Hex } from '../kernel/index.ts'
import { findVersion, type MarketEntry } from '../registry/index.ts'
import { idsIn, toBounds } from './bounds.ts'
import { type ConsentQuestion, toQuestion } from './consent.ts'
import { findMerchantName, findReviewedAt, type InstallationRow, namesOfShops } from './store.ts'
import type { ConsentWords } from './words/consent-words.ts'
import { wordConsent } from './words/word-consent.ts'

/** What a merchant is asked, with the text that is shown and kept. */
export interface AskedConsent {
  readonly question: ConsentQuestion
  readonly words: ConsentWords
  /** Both languages, as JSON: what the record of the decision keeps. */
  readonly text: string
  readonly textSha256: string
}

export interface AskedFor extends MarketEntry {
  readonly merchantId: string
  /** The live installation of this app at this merchant. */
  readonly existing: InstallationRow | null
  /** What the app's request narrows the manifest's bounds to; empty: nothing. */
  readonly askedDetails: readonly AuthorizationDetail[]
}

/** @throws install.bound_not_offered */
export async function readQuestion(
  q: Queries,
  catalog: Pick<Catalog, 'scopes' | 'eventTypes' | 'boundTypes'>,
  asked: AskedFor,
): Promise<AskedConsent> {
  const { app, version, merchantId, existing, askedDetails } = asked
  const { boundTypes } = catalog
  const names = await namesOfShops(q, merchantId, idsIn(boundTypes, askedDetails))
  const declared = version.manifest.stoa_authorization_details ?? []
  const agreed = existing === null ? null : await findVersion(q, app.id, existing.version_id)
  const question = toQuestion(version.manifest, {
    ...{ scopes: catalog.scopes, eventTypes: catalog.eventTypes },
    granted: new Set(existing?.granted),
    agreed: agreed?.manifest ?? null,
    bounds: toBounds({ boundTypes, declared, asked: askedDetails, names }),
  })
  const parties = {
    ...{ manifest: version.manifest, appClass: app.appClass, publisherName: app.publisherName },
    versionName: version.name,
    reviewedAtMs: await findReviewedAt(q, version.id),
    merchantName: present(await findMerchantName(q, merchantId), 'the merchant of a member'),
    installed: existing !== null,
  }
  const words = wordConsent(parties, question)
  const ids = {
    merchantId,
    appId: app.id,
    appName: version.manifest.name,
    versionId: version.id,
    packageSha256: version.packageSha256,
  }
  const text = JSON.stringify({ ...ids, words })
  return { question, words, text, textSha256: sha256Hex(Buffer.from(text)) }
}
