import type { Page } from './page.ts'
import { html } from './shared/shell.tsx'
import { text } from './shared/texts.ts'

/** Where each of the three people goes from here. */
export const homePage: Page = {
  method: 'GET',
  path: '/',
  access: 'public',
  handle: (request) => {
    const { locale, person } = request
    return Promise.resolve(
      html(
        request,
        { title: text(locale, 'homeTitle') },
        <ul class="rows">
          <li>
            <a href="/m">{text(locale, 'market')}</a>
            <div>{text(locale, 'homeMerchant')}</div>
          </li>
          <li>
            <a href="/openapi.json">/openapi.json</a>
            <div>{text(locale, 'homeDeveloper')}</div>
          </li>
          <li>
            <a href="/docs/events">{text(locale, 'eventsTitle')}</a>
            <div>{text(locale, 'homeEvents')}</div>
          </li>
          <li>{text(locale, 'homeReviewer')}</li>
          {person === null ? (
            <li>
              <a href="/sign-in">{text(locale, 'signIn')}</a>
            </li>
          ) : null}
        </ul>,
      ),
    )
  },
}
