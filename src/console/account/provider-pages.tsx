import type { Page, PageRequest, PageResponse, PageSession } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'
import { Submit } from './fields.tsx'
import { safeReturn } from './safe-return.ts'
import { secondFactorAddress, signInPage } from './sign-in.tsx'

/**
 * A link to the provider. A form cannot lead there: the policy lets forms lead only to us, and Chromium holds every
 * redirect after a form against it, those inside the provider as well.
 */
export function continueToProvider(
  request: PageRequest,
  { providerName }: PageSession,
  location: string,
): PageResponse {
  const { locale } = request
  const name = providerName ?? ''
  return html(
    request,
    { title: text(locale, 'providerSignIn', { name }) },
    <>
      <p>{text(locale, 'providerContinueHint', { name })}</p>
      <p class="buttons">
        <a class="button" href={location}>
          {text(locale, 'continueAction')}
        </a>
      </p>
    </>,
  )
}

function addressTaken(request: PageRequest, { providerName }: PageSession, returnTo: string): PageResponse {
  const { locale } = request
  const name = providerName ?? ''
  return html(
    request,
    { title: text(locale, 'providerAddressTaken'), status: 409 },
    <>
      <p>{text(locale, 'providerAddressTakenHint', { name })}</p>
      <p class="buttons">
        <a class="button" href={`/sign-in?return_to=${encodeURIComponent(returnTo)}`}>
          {text(locale, 'providerUseExisting')}
        </a>
      </p>
      <form method="post" action="/sign-in/oidc">
        <FormFields request={request} />
        <input type="hidden" name="return_to" value={returnTo} />
        <p class="hint">{text(locale, 'providerNewHint')}</p>
        <Submit locale={locale} label="providerNew" />
      </form>
    </>,
  )
}

async function comeBack(request: PageRequest, session: PageSession): Promise<PageResponse> {
  const { result, returnTo } = await session.returnFromProvider()
  switch (result.kind) {
    case 'signed_in':
      return { kind: 'redirect', location: safeReturn(returnTo) }
    case 'linked':
      return { kind: 'redirect', location: '/account?done=provider' }
    case 'second_factor':
      return { kind: 'redirect', location: secondFactorAddress('/sign-in', returnTo, request.locale) }
    case 'address_taken':
      return addressTaken(request, session, safeReturn(returnTo))
    case 'expired':
      return signInPage(request, session, { problem: 'signInExpired', returnTo: safeReturn(returnTo) })
    case 'refused':
      return signInPage(request, session, { problem: 'providerFailed', returnTo: safeReturn(returnTo) })
  }
}

/** Signing in at the host's identity provider: there, back, and what to do when the address is somebody's already. */
export const providerPages: readonly Page[] = [
  {
    method: 'GET',
    path: '/sign-in/oidc',
    access: 'public',
    async handle(request, _call, session) {
      const returnTo = safeReturn(request.query['return_to'])
      return { kind: 'redirect', location: await session.askProvider({ mode: 'sign-in', returnTo }) }
    },
  },
  {
    method: 'POST',
    path: '/sign-in/oidc',
    access: 'public',
    async handle(request, _call, session) {
      const returnTo = safeReturn(request.form['return_to']?.[0])
      const location = await session.askProvider({ mode: 'new', returnTo })
      return continueToProvider(request, session, location)
    },
  },
  {
    method: 'GET',
    path: '/sign-in/oidc/callback',
    access: 'public',
    handle: (request, _call, session) => comeBack(request, session),
  },
]
