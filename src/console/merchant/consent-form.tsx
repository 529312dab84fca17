import type { ComponentChildren } from 'preact'
import type { Locale, PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { moment, text } from '../shared/texts.ts'
import type { MerchantChoice } from './choose-merchant.tsx'
import type { ConsentItem, ConsentQuestion, ConsentSection, Fact } from './consent-question.ts'

function Facts({ locale, facts }: { readonly locale: Locale; readonly facts: readonly Fact[] }) {
  if (facts.length === 0) return null
  return (
    <dl class="facts">
      {facts.map(({ label, lines }) => (
        <div key={label.en}>
          <dt>{label[locale]}</dt>
          {lines.map((line) => (
            <dd key={line.en}>{line[locale]}</dd>
          ))}
        </div>
      ))}
    </dl>
  )
}

function Heading({ locale, item, id }: ItemProps) {
  const { choice, title } = item
  if (choice === null) return <h3>{title[locale]}</h3>
  return (
    <h3>
      <label class="choice">
        <input
          type="checkbox"
          name={choice.field}
          value={item.subject}
          checked={choice.checked}
          required={choice.field === 'separate'}
          aria-describedby={`${id}-says`}
        />
        {choice.label[locale]}
      </label>
    </h3>
  )
}

interface ItemProps {
  readonly locale: Locale
  readonly item: ConsentItem
  readonly id: string
}

function Item({ locale, item, id }: ItemProps) {
  const { sentence, badges, facts, details, choice } = item
  return (
    <li class={choice === null ? 'item' : 'item with-choice'}>
      <Heading locale={locale} item={item} id={id} />
      <div class="says" id={`${id}-says`}>
        <p class="badges">
          {badges.map((badge) => (
            <span key={badge.en} class="badge">
              {badge[locale]}
            </span>
          ))}
        </p>
        {sentence === null ? null : <p>{sentence[locale]}</p>}
      </div>
      <div class="says">
        <Facts locale={locale} facts={facts} />
        {details === null ? null : (
          <details>
            <summary>{details.summary[locale]}</summary>
            <Facts locale={locale} facts={details.facts} />
          </details>
        )}
      </div>
    </li>
  )
}

function Section({ locale, section }: { readonly locale: Locale; readonly section: ConsentSection }) {
  const { kind, heading, hint, items } = section
  return (
    <section class={`consent ${kind}`} aria-labelledby={kind}>
      <h2 id={kind}>{heading[locale]}</h2>
      {hint === null ? null : <p class="hint">{hint[locale]}</p>}
      <ul class="rows">
        {items.map((item, index) => (
          <Item key={`${item.subject} ${index}`} locale={locale} item={item} id={`${kind}-${index}`} />
        ))}
      </ul>
    </section>
  )
}

export interface ConsentFormOptions {
  readonly question: ConsentQuestion
  readonly merchant: MerchantChoice
  readonly action: string
  /** Further hidden fields: which device the answer is for. */
  readonly hidden?: Readonly<Record<string, string>>
  /** What comes before the question. */
  readonly intro?: ComponentChildren
  readonly formActionOrigins?: readonly string[]
  /** What was wrong with the answer. */
  readonly problem?: string
}

function Who({ request, question }: { readonly request: PageRequest; readonly question: ConsentQuestion }) {
  const { locale, person } = request
  const named = (line: string) => line.replace('{person}', person?.displayName ?? '')
  return (
    <div class="who">
      {question.words.who.map((line) => (
        <p key={line.en}>{named(line[locale])}</p>
      ))}
      <Facts locale={locale} facts={question.words.about} />
    </div>
  )
}

function Links({ locale, question, merchant }: ConsentFormOptions & { readonly locale: Locale }) {
  const { privacyPolicy, app, accessHistory } = question.words.links
  const at = `merchant=${encodeURIComponent(merchant.id)}`
  const appHref = question.installationId === null ? `/m?${at}` : `/m/apps/${question.appId}?${at}`
  return (
    <ul class="links">
      <li>
        <a href={appHref}>{app[locale]}</a>
      </li>
      <li>
        <a href={`/m/access?${at}`}>{accessHistory[locale]}</a>
      </li>
      {privacyPolicy === null ? null : (
        <li>
          <a href={privacyPolicy.href} rel="noreferrer nofollow">
            {privacyPolicy.label[locale]}
          </a>
        </li>
      )}
    </ul>
  )
}

/** Who may agree for a merchant; everybody else may read and refuse. */
const mayAllow = new Set(['owner', 'manager'])

function Buttons({ locale, question, merchant }: ConsentFormOptions & { readonly locale: Locale }) {
  const { words } = question
  const allowed = mayAllow.has(merchant.role)
  return (
    <>
      {allowed ? null : <p class="notice">{words.onlyManagers[locale]}</p>}
      <div class="buttons">
        <button type="submit" name="decision" value="deny" formnovalidate>
          {words.doNotAllow[locale]}
        </button>
        {allowed ? (
          <button type="submit" name="decision" value="allow">
            {words.allow[locale]}
          </button>
        ) : null}
      </div>
    </>
  )
}

/** The one consent page of both entrances: shows the question's words and adds none to the decision. */
export function consentForm(request: PageRequest, options: ConsentFormOptions): PageResponse {
  const { locale } = request
  const { question, merchant, problem } = options
  const { words } = question
  return html(
    request,
    {
      title: words.title[locale],
      ...(problem === undefined ? {} : { status: 422 }),
      ...(options.formActionOrigins === undefined ? {} : { formActionOrigins: options.formActionOrigins }),
    },
    <form method="post" action={options.action}>
      {/* The Enter key presses a form's first button. This one does nothing, so that a decision is always a choice. */}
      <button type="submit" disabled hidden />
      <FormFields request={request} />
      <input type="hidden" name="merchant_id" value={merchant.id} />
      <input type="hidden" name="version_id" value={question.versionId} />
      <input type="hidden" name="text" value={question.textSha256} />
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {Object.entries(options.hidden ?? {}).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {options.intro}
      <Who request={request} question={question} />
      {words.nothing === null ? null : <p>{words.nothing[locale]}</p>}
      {words.sections.map((section) => (
        <Section key={section.kind} locale={locale} section={section} />
      ))}
      <section class="consent outcome" aria-labelledby="outcome">
        <h2 id="outcome">{words.outcome.heading[locale]}</h2>
        <Facts locale={locale} facts={words.outcome.facts} />
        <Links locale={locale} {...options} />
      </section>
      <Buttons locale={locale} {...options} />
    </form>,
  )
}

/** Instead of the question, when this person has refused it a little while ago and the app asks again. */
export function refusedPage(
  request: PageRequest,
  options: ConsentFormOptions & { readonly again: string },
): PageResponse {
  const { locale } = request
  const { question, merchant } = options
  const values = { merchant: merchant.name, at: moment(locale, question.refusedAt ?? '') }
  return html(
    request,
    {
      title: text(locale, 'refusedTitle', { app: question.appNames[locale] }),
      ...(options.formActionOrigins === undefined ? {} : { formActionOrigins: options.formActionOrigins }),
    },
    <form method="post" action={options.action}>
      <FormFields request={request} />
      <input type="hidden" name="merchant_id" value={merchant.id} />
      <p>{text(locale, 'refusedHint', values)}</p>
      <div class="buttons">
        <button type="submit" name="decision" value="back">
          {text(locale, 'refusedBack')}
        </button>
        <a class="button" href={options.again}>
          {text(locale, 'refusedAgain')}
        </a>
      </div>
    </form>,
  )
}
