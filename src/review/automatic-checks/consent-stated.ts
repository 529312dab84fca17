import type { Manifest, ScopeRequest } from '../../../runtime/package/index.ts'
import type { Finding } from '../finding.ts'
import type { AutomaticCheck, CheckSubject } from './check.ts'

function missing(ruleId: string, pointer: string, message: string): Finding {
  return { ruleId: `consent.${ruleId}`, severity: 'warning', message, pointer, path: null, line: null }
}

function appStatements({ stoa_purpose, stoa_publisher }: Manifest, isBackend: boolean): readonly Finding[] {
  const purpose = 'stoa_purpose is missing: the consent page cannot say in one sentence what the app is for.'
  const country = 'stoa_publisher.country is missing: merchants are not told where their data goes.'
  const contact = 'stoa_publisher.contact is missing: nobody can be asked about the data.'
  return [
    ...(stoa_purpose === undefined ? [missing('purpose_unstated', '', purpose)] : []),
    ...(isBackend && stoa_publisher?.country === undefined ? [missing('country_unstated', '', country)] : []),
    ...(stoa_publisher?.contact === undefined ? [missing('contact_unstated', '', contact)] : []),
  ]
}

function chineseOf(asked: ScopeRequest, pointer: string): readonly Finding[] {
  const members = ['purpose', 'justification', 'without'] as const
  return members
    .filter((member) => asked[member] !== undefined && asked[member]['zh-CN'] === undefined)
    .map((member) =>
      missing(
        'chinese_missing',
        `${pointer}/${member}`,
        `The ${member} of ${asked.name} is not in 简体中文: Chinese readers see it in English.`,
      ),
    )
}

function scopeStatements(
  asked: ScopeRequest,
  { pointer, optional }: { readonly pointer: string; readonly optional: boolean },
  { appClass, sensitivities }: CheckSubject,
): readonly Finding[] {
  const { name } = asked
  const isBasic = sensitivities.get(name) === 'basic'
  const unstated = [
    ...(asked.justification === undefined
      ? [missing('justification_unstated', pointer, `Why the app needs ${name} is not said.`)]
      : []),
    ...(asked.retention_days === undefined
      ? [missing('retention_unstated', pointer, `How long the app keeps what ${name} shows is not said.`)]
      : []),
    ...(asked.recipients === undefined && appClass !== 'mini-program'
      ? [missing('recipients_unstated', pointer, `Who else gets what ${name} shows is not said.`)]
      : []),
  ]
  const loss = missing('without_unstated', pointer, `What does not work without ${name} is not said.`)
  return [
    // What is no personal and no business data needs no account of its whereabouts.
    ...(isBasic ? [] : unstated),
    ...(optional && asked.without === undefined ? [loss] : []),
    ...chineseOf(asked, pointer),
  ]
}

/** Merchants are told everything the consent page has a place for; what the developer leaves out is shown as left out. */
export const consentStated: AutomaticCheck = (subject) => {
  const { manifest, appClass } = subject
  const { required = [], optional = [] } = manifest.stoa_scopes ?? {}
  const of = (list: 'required' | 'optional', index: number) => ({
    pointer: `/stoa_scopes/${list}/${index}`,
    optional: list === 'optional',
  })
  // An app that asks for nothing has nothing to account for.
  if (required.length + optional.length === 0) return []
  return [
    ...appStatements(manifest, appClass !== 'mini-program'),
    ...required.flatMap((asked, index) => scopeStatements(asked, of('required', index), subject)),
    ...optional.flatMap((asked, index) => scopeStatements(asked, of('optional', index), subject)),
  ]
}
