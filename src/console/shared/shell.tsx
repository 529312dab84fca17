import type { ComponentChildren } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { PageRequest, PageResponse } from '../page.ts'
import { text } from './texts.ts'

interface ShellOptions {
  readonly title: string
  readonly status?: number
  readonly formActionOrigins?: readonly string[]
  /** A file of ours that makes the page better; without it everything else works. */
  readonly script?: string
}

function otherLanguageUrl(request: PageRequest): string {
  const url = new URL(request.path, 'http://page.invalid')
  url.searchParams.set('lang', request.locale === 'en' ? 'zh-CN' : 'en')
  return url.pathname + url.search
}

/** What every form carries: the proof that it came from our own page, and the language that page was shown in. */
export function FormFields({ request }: { readonly request: PageRequest }) {
  return (
    <>
      <input type="hidden" name="csrf" value={request.csrfToken} />
      <input type="hidden" name="lang" value={request.locale} />
    </>
  )
}

function Header({ request }: { readonly request: PageRequest }) {
  const { locale, person } = request
  return (
    <header>
      <a class="name" href="/">
        {text(locale, 'productName')}
      </a>
      <a href={otherLanguageUrl(request)} rel="nofollow">
        {text(locale, 'otherLanguage')}
      </a>
      {person === null ? null : (
        <form method="post" action="/sign-out">
          <FormFields request={request} />
          <span class="hint">
            <a href="/account">{text(locale, 'signedInAs', { name: person.displayName })}</a> ·{' '}
          </span>
          <button class="link" type="submit">
            {text(locale, 'signOut')}
          </button>
        </form>
      )}
    </header>
  )
}

/** A whole HTML document around a page's content. */
export function html(request: PageRequest, options: ShellOptions, content: ComponentChildren): PageResponse {
  const body = renderToString(
    <html lang={request.locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${options.title} · ${text(request.locale, 'productName')}`}</title>
        {/* Browsers would ask for /favicon.ico at each first visit. */}
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/assets/stoa.css" />
        {options.script === undefined ? null : <script type="module" src={options.script} />}
      </head>
      <body>
        <Header request={request} />
        <main>
          <h1>{options.title}</h1>
          {content}
        </main>
        <footer>{text(request.locale, 'requestFooter', { request: request.requestId })}</footer>
      </body>
    </html>,
  )
  return {
    kind: 'html',
    status: options.status ?? 200,
    html: `<!doctype html>${body}`,
    ...(options.formActionOrigins === undefined ? {} : { formActionOrigins: options.formActionOrigins }),
  }
}
