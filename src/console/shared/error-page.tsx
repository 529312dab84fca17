import type { StoaError } from '../../kernel/index.ts'
import type { Locale, PageRequest, PageResponse } from '../page.ts'
import { html } from './shell.tsx'
import { text } from './texts.ts'

/** What went wrong, why, and where to go from here. The details of a failure of ours stay in the log. */
export function renderError(error: StoaError, request: PageRequest): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'errorTitle'), status: error.status },
    <>
      <p class="problem" role="alert">
        {error.status >= 500 ? error.title : error.message}
      </p>
      <p class="hint">{text(locale, 'errorCode', { code: error.code, request: request.requestId })}</p>
      <p>
        <a href="/">{text(locale, 'errorBack')}</a>
      </p>
    </>,
  )
}

/** The same page for a door without a session: the authorization server's own errors. Gives the whole document. */
export function renderErrorDocument(error: StoaError, locale: Locale, requestId: string): string {
  const page = renderError(error, {
    params: {},
    query: {},
    form: {},
    path: '/',
    locale,
    person: null,
    csrfToken: '',
    interaction: null,
    requestId,
  })
  return page.kind === 'html' ? page.html : ''
}
