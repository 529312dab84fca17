import type { ListedEventType } from '../../capability/index.ts'
import type { Locale, Page } from '../page.ts'
import { html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'

interface Listed {
  readonly data: readonly ListedEventType[]
}

function Needs({ locale, event }: { readonly locale: Locale; readonly event: ListedEventType }) {
  const { scope, fields } = event
  return (
    <ul class="hint">
      <li>
        {scope === null
          ? text(locale, 'eventsNoScope')
          : text(locale, 'eventsScope', { scope: scope.name, title: scope.title[locale] })}
      </li>
      {fields.map(({ name, scope: needed }) => (
        <li key={name}>
          {text(locale, 'eventsField', {
            field: `data.${name}`,
            scope: needed.name,
            title: needed.title[locale],
          })}
        </li>
      ))}
    </ul>
  )
}

function EventType({ locale, event }: { readonly locale: Locale; readonly event: ListedEventType }) {
  const { type, version, summary, subject, publishedBy, dataschema, example } = event
  return (
    <section id={type}>
      <h2>{type}</h2>
      <p>{summary[locale]}</p>
      <p class="hint">
        <span class="badge">
          {text(locale, publishedBy === 'host' ? 'eventsByHost' : 'eventsByPlatform')}
        </span>
      </p>
      <Needs locale={locale} event={event} />
      <p class="hint">
        {text(locale, 'eventsSubject')} <span lang="en">{subject}</span>
      </p>
      <p>
        <a href={new URL(dataschema).pathname}>
          {text(locale, 'eventsSchema', { version: String(version) })}
        </a>
      </p>
      <p class="hint">{text(locale, 'eventsExample')}</p>
      <pre>{JSON.stringify(example, null, 2)}</pre>
    </section>
  )
}

/** Every event type for people: what it is, what it needs, how it looks. */
export const eventsPage: Page = {
  method: 'GET',
  path: '/docs/events',
  access: 'public',
  async handle(request, call) {
    const { locale } = request
    const { data } = (await call('platform.event_types', {})).output as Listed
    return html(
      request,
      { title: text(locale, 'eventsTitle') },
      <>
        <p>{text(locale, 'eventsHint')}</p>
        {data.map((event) => (
          <EventType key={event.type} locale={locale} event={event} />
        ))}
      </>,
    )
  },
}
