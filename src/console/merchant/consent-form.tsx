import type { ComponentChildren } from 'preact'
import type { PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'

interface Localized {
  readonly en: string
  readonly 'zh-CN': string
}

/** One row of the question, as the operation consent.get answers it. */
export interface ConsentRow {
  readonly scope: string
  readonly title: Localized
  readonly consent: Localized
  readonly purpose: Localized
  readonly sensitivity: 'basic' | 'protected' | 'private'
  readonly granted: boolean
}

/** A limit, or a reach, in the platform's words. */
export interface ConsentBound {
  readonly type: string
  readonly scope: string | null
  readonly sentence: Localized
}

export interface ConsentQuestion {
  readonly appId: string
  readonly appName: string
  readonly publisherName: string
  readonly versionId: string
  readonly versionName: string
  readonly installationId: string | null
  readonly required: readonly ConsentRow[]
  readonly optional: readonly ConsentRow[]
  readonly bounds: readonly ConsentBound[]
  readonly accessType: 'offline' | 'online'
}

const sensitivityTexts: Readonly<Record<ConsentRow['sensitivity'], TextKey>> = {
  basic: 'sensitiveBasic',
  protected: 'sensitiveProtected',
  private: 'sensitivePrivate',
}

function RowText({ request, row }: { readonly request: PageRequest; readonly row: ConsentRow }) {
  const { locale } = request
  return (
    <div>
      <strong>{row.title[locale]}</strong>{' '}
      <span class={`badge ${row.sensitivity}`}>{text(locale, sensitivityTexts[row.sensitivity])}</span>
      <div>{row.consent[locale]}</div>
      <div class="hint">{text(locale, 'consentPurpose', { purpose: row.purpose[locale] })}</div>
    </div>
  )
}

function Required({
  request,
  rows,
}: {
  readonly request: PageRequest
  readonly rows: readonly ConsentRow[]
}) {
  return (
    <>
      <h2>{text(request.locale, 'consentRequired')}</h2>
      <ul class="rows">
        {rows.map((row) => (
          <li key={row.scope}>
            <RowText request={request} row={row} />
          </li>
        ))}
      </ul>
    </>
  )
}

function Optional({
  request,
  rows,
}: {
  readonly request: PageRequest
  readonly rows: readonly ConsentRow[]
}) {
  return (
    <>
      <h2>{text(request.locale, 'consentOptional')}</h2>
      <p class="hint">{text(request.locale, 'consentOptionalHint')}</p>
      <ul class="rows">
        {rows.map((row) => (
          <li key={row.scope}>
            <label class="choice">
              <input type="checkbox" name="optional" value={row.scope} checked={row.granted} />
              <RowText request={request} row={row} />
            </label>
          </li>
        ))}
      </ul>
    </>
  )
}

function Bounds({
  request,
  bounds,
}: {
  readonly request: PageRequest
  readonly bounds: readonly ConsentBound[]
}) {
  return (
    <>
      <h2>{text(request.locale, 'consentBounds')}</h2>
      <ul class="rows">
        {bounds.map(({ type, sentence }) => (
          <li key={`${type} ${sentence.en}`}>{sentence[request.locale]}</li>
        ))}
      </ul>
    </>
  )
}

export interface ConsentFormOptions {
  readonly question: ConsentQuestion
  readonly merchant: { readonly id: string; readonly name: string }
  readonly action: string
  /** Further hidden fields: which device the answer is for. */
  readonly hidden?: Readonly<Record<string, string>>
  /** What comes before the question. */
  readonly intro?: ComponentChildren
  readonly formActionOrigins?: readonly string[]
}

/** The one consent page of both entrances. */
export function consentForm(request: PageRequest, options: ConsentFormOptions): PageResponse {
  const { locale } = request
  const { question, merchant } = options
  const nothing = question.required.length + question.optional.length === 0
  return html(
    request,
    {
      title: text(locale, 'consentTitle', { app: question.appName, merchant: merchant.name }),
      ...(options.formActionOrigins === undefined ? {} : { formActionOrigins: options.formActionOrigins }),
    },
    <form method="post" action={options.action}>
      <FormFields request={request} />
      <input type="hidden" name="merchant_id" value={merchant.id} />
      <input type="hidden" name="version_id" value={question.versionId} />
      {Object.entries(options.hidden ?? {}).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {options.intro}
      <p>
        {text(locale, 'consentWho', { publisher: question.publisherName, version: question.versionName })}
      </p>
      {nothing ? <p>{text(locale, 'consentNone')}</p> : null}
      {question.required.length === 0 ? null : <Required request={request} rows={question.required} />}
      {question.optional.length === 0 ? null : <Optional request={request} rows={question.optional} />}
      {question.bounds.length === 0 ? null : <Bounds request={request} bounds={question.bounds} />}
      <p>{text(locale, 'consentIfAllow')}</p>
      <p>{text(locale, 'consentIfRefuse')}</p>
      <p>{text(locale, 'consentWithdraw')}</p>
      <div class="buttons">
        <button type="submit" name="decision" value="deny">
          {text(locale, 'doNotAllow')}
        </button>
        <button type="submit" name="decision" value="allow">
          {text(locale, 'allow')}
        </button>
      </div>
    </form>,
  )
}
