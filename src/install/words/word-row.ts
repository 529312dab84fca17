import type { Localized } from '../../capability/index.ts'
import type { ConsentRow } from '../consent.ts'
import type { ConsentChange } from '../consent-changes.ts'
import type { DeveloperStatement, Recipient } from '../consent-manifest.ts'
import { countryName, say } from './consent-texts.ts'
import type { ConsentChoice, ConsentItem, Fact } from './consent-words.ts'

/** Who gets what the app reads, before anybody the developer names. */
export interface Receiver {
  readonly publisherName: string
  /** ISO 3166-1 alpha-2; null: not said. */
  readonly country: string | null
  /** Null: the app has a server of its own. Else the hosts a program inside the platform may send to. */
  readonly onlyHosts: readonly string[] | null
}

function quoted(text: Localized): Localized {
  return say('quoted', { text })
}

/** A sentence of the developer's, marked as such. */
export function quote(label: Localized, text: Localized | null): Fact[] {
  return text === null ? [] : [{ label, lines: [quoted(text)] }]
}

function receiverLine({ publisherName: publisher, country, onlyHosts }: Receiver): Localized {
  if (onlyHosts !== null)
    return onlyHosts.length === 0 ? say('staysHere') : say('goesToHosts', { hosts: onlyHosts.join(', ') })
  return country === null
    ? say('publisherSomewhere', { publisher })
    : say('publisherIn', { publisher, country: countryName(country) })
}

function recipientLine({ name, country, role, purpose }: Recipient): Localized {
  const recipient = say(role, { name, country: countryName(country) })
  return purpose === null ? recipient : say('recipientPurpose', { recipient, purpose })
}

function recipientLines(recipients: DeveloperStatement['recipients']): readonly Localized[] {
  if (recipients === null) return [say('othersUnsaid')]
  return recipients.length === 0 ? [say('nobodyElse')] : recipients.map(recipientLine)
}

function recipientsOf({ recipients }: DeveloperStatement, receiver: Receiver): Fact {
  // What cannot leave needs no word about others.
  const inside = receiver.onlyHosts?.length === 0 && (recipients ?? []).length === 0
  const others = inside ? [] : recipientLines(recipients)
  return { label: say('recipients'), lines: [receiverLine(receiver), ...others] }
}

function retentionLine(days: number | null): Localized {
  if (days === null) return say('retentionUnsaid')
  if (days === 0) return say('notKept')
  return days === 1 ? say('keptOneDay') : say('keptDays', { days: String(days) })
}

function factsOf(row: ConsentRow, receiver: Receiver, mayRefuse: boolean): readonly Fact[] {
  const { developer } = row
  return [
    ...quote(say('purpose'), developer.purpose),
    ...quote(say('justification'), developer.justification),
    ...(mayRefuse ? quote(say('without'), developer.without) : []),
    recipientsOf(developer, receiver),
    { label: say('retention'), lines: [retentionLine(developer.retentionDays)] },
  ]
}

function detailsOf({ dataCategory, fields, access, events }: ConsentRow): ConsentItem['details'] {
  return {
    summary: say('details'),
    facts: [
      { label: say('data'), lines: fields.length === 0 ? [say(dataCategory)] : fields },
      { label: say('access'), lines: [say(access === 'read' ? 'readOnly' : 'readWrite')] },
      { label: say('when'), lines: [say('anyTime'), ...events.map((event) => say('atOnce', { event }))] },
    ],
  }
}

function badgesOf({ sensitivity, dataCategory, access }: ConsentRow): readonly Localized[] {
  return [say(sensitivity), say(dataCategory), say(access)]
}

/** A permission without a box: needed, and agreed to by allowing. */
export function wordRequired(row: ConsentRow, receiver: Receiver): ConsentItem {
  return {
    ...{ subject: row.scope, title: row.title, sentence: row.consent, badges: badgesOf(row) },
    ...{ facts: factsOf(row, receiver, false), details: detailsOf(row), choice: null },
  }
}

/** A permission with a box. */
export function wordOptional(row: ConsentRow, receiver: Receiver, checked: boolean): ConsentItem {
  const choice: ConsentChoice = { label: row.title, field: 'optional', checked }
  return { ...wordRequired(row, receiver), facts: factsOf(row, receiver, true), choice }
}

/** A permission that has to be agreed to by a box of its own, needed or not. */
export function wordSeparate(
  row: ConsentRow,
  receiver: Receiver,
  { required, checked }: { readonly required: boolean; readonly checked: boolean },
): ConsentItem {
  return {
    ...wordRequired(row, receiver),
    facts: factsOf(row, receiver, !required),
    badges: [say(required ? 'isRequired' : 'isOptional'), ...badgesOf(row)],
    choice: {
      label: say('separateChoice', { title: row.title }),
      field: required ? 'separate' : 'optional',
      checked,
    },
  }
}

const changeBadges = {
  added: 'added',
  now_required: 'nowRequired',
  restated: 'restated',
  removed: 'removed',
} as const

function linesOf(statement: DeveloperStatement, what: keyof DeveloperStatement): readonly Localized[] {
  if (what === 'recipients') return recipientLines(statement.recipients)
  if (what === 'retentionDays') return [retentionLine(statement.retentionDays)]
  const text = statement[what]
  return [text === null ? say('nothingSaid') : quoted(text)]
}

const changeLabels = {
  purpose: 'purpose',
  justification: 'justification',
  retentionDays: 'retention',
  recipients: 'recipients',
} as const

function changeFacts(change: ConsentChange): readonly Fact[] {
  if (change.kind !== 'restated') return []
  return change.what.flatMap((one) => {
    const what = say(changeLabels[one])
    return [
      { label: say('before', { what }), lines: linesOf(change.before, one) },
      { label: say('now', { what }), lines: linesOf(change.row.developer, one) },
    ]
  })
}

/** One difference from what was agreed to before. */
export function wordChange(change: ConsentChange): ConsentItem {
  const isGone = change.kind === 'removed'
  const needed = change.kind === 'added' ? [say(change.required ? 'isRequired' : 'isOptional')] : []
  return {
    subject: isGone ? change.scope : change.row.scope,
    title: isGone ? change.title : change.row.title,
    sentence: isGone ? say('removedSentence') : change.row.consent,
    badges: [say(changeBadges[change.kind]), ...needed, ...(isGone ? [] : [say(change.row.sensitivity)])],
    facts: changeFacts(change),
    details: null,
    choice: null,
  }
}
