import { listErrors } from '../../kernel/index.ts'
import type { Page } from '../page.ts'
import { html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'

/** Where the `type` of every problem leads (RFC 9457 §3.1.1): each code, what it means and what to do. */
export const errorsPage: Page = {
  method: 'GET',
  path: '/docs/errors',
  access: 'public',
  handle: (request) => {
    const { locale } = request
    return Promise.resolve(
      html(
        request,
        { title: text(locale, 'errorsTitle') },
        <>
          <p>{text(locale, 'errorsHint')}</p>
          <ul class="rows">
            {listErrors().map(([code, { status, title, fix }]) => (
              <li key={code} id={code}>
                <strong>{code}</strong> <span class="badge">{status}</span>
                <div lang="en">{title}</div>
                <div class="hint" lang="en">
                  {fix}
                </div>
              </li>
            ))}
          </ul>
        </>,
      ),
    )
  },
}
