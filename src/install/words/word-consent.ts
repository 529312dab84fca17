import type { Localized } from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'
import type { ConsentBound } from '../bounds.ts'
import type { ConsentQuestion, ConsentRow } from '../consent.ts'
import { type ConsentManifest, localizedOf } from '../consent-manifest.ts'
import { countryName, dayOf, say } from './consent-texts.ts'
import type { ConsentItem, ConsentSection, ConsentWords, Fact } from './consent-words.ts'
import { quote, type Receiver, wordChange, wordOptional, wordRequired, wordSeparate } from './word-row.ts'

/** Who asks whom. */
export interface ConsentParties {
  readonly manifest: ConsentManifest
  readonly appClass: 'backend' | 'mini-program' | 'both'
  readonly publisherName: string
  readonly versionName: string
  /** When the platform's staff approved this version; null: never. */
  readonly reviewedAtMs: number | null
  readonly merchantName: string
  /** Whether the app is installed at this merchant already. */
  readonly installed: boolean
}

export function appNameOf({ name = '', stoa_names }: ConsentManifest): Localized {
  return localizedOf({ en: name, ...stoa_names })
}

function purposeOf({ stoa_purpose, description = '' }: ConsentManifest): Localized | null {
  if (stoa_purpose !== undefined) return localizedOf(stoa_purpose)
  return description.trim() === '' ? null : localizedOf({ en: description })
}

function aboutOf({ manifest }: ConsentParties): readonly Fact[] {
  const purpose = purposeOf(manifest)
  const { legal_name, country, contact } = manifest.stoa_publisher ?? {}
  const where = country === undefined ? null : countryName(country)
  const name = legal_name === undefined ? null : { en: legal_name, 'zh-CN': legal_name }
  const responsible = name !== null && where !== null ? joined(name, where) : (name ?? where)
  return [
    ...(purpose === null
      ? [{ label: say('appPurpose'), lines: [say('appPurposeUnsaid')] }]
      : quote(say('appPurpose'), purpose)),
    ...(responsible === null ? [] : [{ label: say('responsible'), lines: [responsible] }]),
    ...(contact === undefined ? [] : [{ label: say('contact'), lines: [{ en: contact, 'zh-CN': contact }] }]),
  ]
}

function joined(name: Localized, where: Localized): Localized {
  return { en: `${name.en}, ${where.en}`, 'zh-CN': `${name['zh-CN']}，${where['zh-CN']}` }
}

function titleOf({ installed, manifest, merchantName }: ConsentParties, { changes }: ConsentQuestion) {
  const values = { app: appNameOf(manifest), merchant: merchantName }
  if (!installed) return say('title', values)
  return say(changes.length > 0 ? 'titleChanged' : 'titleInstalled', values)
}

function whoOf(parties: ConsentParties): readonly Localized[] {
  const { publisherName: publisher, versionName: version, reviewedAtMs, merchantName: merchant } = parties
  return [
    say('madeBy', { publisher, version }),
    reviewedAtMs === null ? say('notReviewed') : say('reviewed', { date: dayOf(reviewedAtMs) }),
    say('youDecide', { merchant }),
  ]
}

function section(
  kind: ConsentSection['kind'],
  items: readonly ConsentItem[],
  hint: Localized | null = null,
): ConsentSection[] {
  return items.length === 0 ? [] : [{ kind, heading: say(kind), hint, items }]
}

function wordBound({ type, title, sentence }: ConsentBound): ConsentItem {
  return { subject: type, title, sentence, badges: [], facts: [], details: null, choice: null }
}

function sectionsOf(question: ConsentQuestion, receiver: Receiver): readonly ConsentSection[] {
  const { required, optional, bounds, changes } = question
  // Ticked only where the merchant has said yes to exactly this: on other terms it is another question.
  const restated = new Set(
    changes.flatMap((change) => (change.kind === 'restated' ? [change.row.scope] : [])),
  )
  const isTicked = ({ granted, scope }: ConsentRow) => granted && !restated.has(scope)
  const alone = (rows: readonly ConsentRow[], isRequired: boolean) =>
    rows
      .filter(({ separate }) => separate)
      .map((row) => wordSeparate(row, receiver, { required: isRequired, checked: isTicked(row) }))
  const apart = [...alone(required, true), ...alone(optional, false)]
  const together = required.filter(({ separate }) => !separate)
  const chosen = optional.filter(({ separate }) => !separate)
  return [
    ...section('changes', changes.map(wordChange), say('changesHint')),
    ...section(
      'required',
      together.map((row) => wordRequired(row, receiver)),
    ),
    ...section('bounds', bounds.map(wordBound)),
    ...section(
      'optional',
      chosen.map((row) => wordOptional(row, receiver, isTicked(row))),
      say('optionalHint'),
    ),
    ...section('separate', apart, say('separateHint')),
  ]
}

function outcomeOf({ installed }: ConsentParties): readonly Fact[] {
  const hours = String(limits.refusalKeptMs / 3_600_000)
  return [
    { label: say('ifAllow'), lines: [say('ifAllowText'), ...(installed ? [say('ifAllowAgain')] : [])] },
    {
      label: say('ifRefuse'),
      lines: [say(installed ? 'ifRefuseAgain' : 'ifRefuseText'), say('refusalKept', { hours })],
    },
    { label: say('ifWithdraw'), lines: [say('ifWithdrawText')] },
  ]
}

function receiverOf({ manifest, appClass, publisherName }: ConsentParties): Receiver {
  return {
    publisherName,
    country: manifest.stoa_publisher?.country ?? null,
    onlyHosts: appClass === 'mini-program' ? (manifest.stoa_egress_hosts ?? []) : null,
  }
}

/** The question as a person reads it. Every visible word of the decision is in here. */
export function wordConsent(parties: ConsentParties, question: ConsentQuestion): ConsentWords {
  const { manifest, publisherName: publisher, merchantName: merchant, installed } = parties
  const policy = manifest.stoa_publisher?.privacy_policy
  const isEmpty = question.required.length + question.optional.length === 0
  return {
    title: titleOf(parties, question),
    who: whoOf(parties),
    onlyManagers: say('onlyManagers', { merchant }),
    about: aboutOf(parties),
    nothing: isEmpty ? say('nothingAsked') : null,
    sections: sectionsOf(question, receiverOf(parties)),
    outcome: { heading: say('outcome'), facts: outcomeOf(parties) },
    links: {
      privacyPolicy:
        policy === undefined ? null : { label: say('privacyPolicy', { publisher }), href: policy },
      app: say(installed ? 'appPage' : 'market'),
      accessHistory: say('accessHistory'),
    },
    allow: say('allow'),
    doNotAllow: say('doNotAllow'),
  }
}
