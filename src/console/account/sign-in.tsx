import type { Locale, Page, PageRequest, PageResponse, PageSession, SignInResult } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'
import { PasskeyForm, passkeyScriptPath } from './passkey-form.tsx'
import { safeReturn } from './safe-return.ts'

/** A sign-in stands on its own, or is a step of an authorization; its pages are the same at both places. */
type Place = '/sign-in' | '/sign-in/:uid'

/** The place's address in this request. */
function baseOf({ interaction }: PageRequest): string {
  return interaction === null ? '/sign-in' : `/sign-in/${interaction.uid}`
}

function returnOf({ form, query }: PageRequest): string {
  return safeReturn(form['return_to']?.[0] ?? query['return_to'])
}

function Problem({
  request,
  problem,
}: {
  readonly request: PageRequest
  readonly problem: TextKey | undefined
}) {
  if (problem === undefined) return null
  return (
    <p class="problem" role="alert">
      {text(request.locale, problem)}
    </p>
  )
}

function shellOf(request: PageRequest, problem: TextKey | undefined) {
  const { locale, interaction } = request
  return {
    title: text(locale, interaction === null ? 'signIn' : 'signInForApp'),
    status: problem === undefined ? 200 : 401,
    ...(interaction === null ? {} : { formActionOrigins: [interaction.redirectOrigin] }),
  }
}

interface Shown {
  readonly problem?: TextKey
  /** Default: what the request says. */
  readonly returnTo?: string
}

interface OfferProps {
  readonly request: PageRequest
  readonly session: PageSession
  readonly returnTo: string
}

function PasskeyOffer({ request, session, returnTo }: OfferProps) {
  const question = session.askForPasskey()
  if (question === null) return null
  return (
    <PasskeyForm
      request={request}
      action={baseOf(request)}
      what="get"
      options={question.options}
      button={text(request.locale, 'passkeySignIn')}
    >
      <input type="hidden" name="return_to" value={returnTo} />
      <input type="hidden" name="challenge" value={question.challenge} />
    </PasskeyForm>
  )
}

/** After the provider an authorization goes on at its own address, which knows by then who has signed in. */
function ProviderOffer({ request, session, returnTo }: OfferProps) {
  const { providerName: name } = session
  if (name === null) return null
  const back = request.interaction === null ? returnTo : baseOf(request)
  return (
    <p class="buttons">
      <a class="button" href={`/sign-in/oidc?return_to=${encodeURIComponent(back)}`} rel="nofollow">
        {text(request.locale, 'providerSignIn', { name })}
      </a>
    </p>
  )
}

/** The ways in, all on one page. */
export function signInPage(
  request: PageRequest,
  session: PageSession,
  { problem, returnTo = returnOf(request) }: Shown = {},
): PageResponse {
  const { locale } = request
  return html(
    request,
    { ...shellOf(request, problem), script: passkeyScriptPath },
    <>
      <form method="post" action={baseOf(request)}>
        <FormFields request={request} />
        <input type="hidden" name="return_to" value={returnTo} />
        <Problem request={request} problem={problem} />
        <label class="field" for="email">
          {text(locale, 'email')}
        </label>
        <input id="email" name="email" type="email" autocomplete="username" required />
        <label class="field" for="password">
          {text(locale, 'password')}
        </label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <div class="buttons">
          <button type="submit">{text(locale, 'signIn')}</button>
        </div>
      </form>
      <PasskeyOffer request={request} session={session} returnTo={returnTo} />
      <ProviderOffer request={request} session={session} returnTo={returnTo} />
    </>,
  )
}

function secondFactorPage(request: PageRequest, problem?: TextKey): PageResponse {
  const { locale } = request
  return html(
    request,
    { ...shellOf(request, problem), title: text(locale, 'secondFactorTitle') },
    <form method="post" action={`${baseOf(request)}/second-factor`}>
      <FormFields request={request} />
      <input type="hidden" name="return_to" value={returnOf(request)} />
      <Problem request={request} problem={problem} />
      <label class="field" for="code">
        {text(locale, 'secondFactorCode')}
      </label>
      <input id="code" name="code" type="text" autocomplete="one-time-code" maxLength={32} required />
      <p class="hint">{text(locale, 'secondFactorHint')}</p>
      <div class="buttons">
        <button type="submit">{text(locale, 'signIn')}</button>
      </div>
    </form>,
  )
}

/** The page of an authorization request that is no longer there. */
export function interactionGone(request: PageRequest): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'errorTitle'), status: 410 },
    <p class="problem" role="alert">
      {text(locale, 'interactionGone')}
    </p>,
  )
}

/** The page for the code, beneath the place where the sign-in began. */
export function secondFactorAddress(base: string, returnTo: string, locale: Locale): string {
  return `${base}/second-factor?${new URLSearchParams({ return_to: returnTo, lang: locale })}`
}

/** Where a sign-in leads that came to an end, or a page that says why it did not. */
async function goOn(
  request: PageRequest,
  session: PageSession,
  result: SignInResult,
  again: (problem: TextKey) => PageResponse,
): Promise<PageResponse> {
  const { interaction } = request
  switch (result.kind) {
    case 'signed_in':
      return {
        kind: 'redirect',
        location:
          interaction === null ? returnOf(request) : await session.resumeSignIn(interaction, result.person),
      }
    case 'second_factor':
      return {
        kind: 'redirect',
        location: secondFactorAddress(baseOf(request), returnOf(request), request.locale),
      }
    case 'expired':
      return signInPage(request, session, { problem: 'signInExpired' })
    case 'refused':
      return again('signInFailed')
  }
}

async function answerSignIn(request: PageRequest, session: PageSession): Promise<PageResponse> {
  const field = (name: string) => request.form[name]?.[0] ?? ''
  if (field('credential') !== '') {
    const given = { challenge: field('challenge'), credential: field('credential') }
    const result = await session.signInByPasskey(given)
    return goOn(request, session, result, () => signInPage(request, session, { problem: 'passkeyRefused' }))
  }
  const result = await session.signIn({ email: field('email'), password: field('password') })
  return goOn(request, session, result, (problem) => signInPage(request, session, { problem }))
}

async function answerSecondFactor(request: PageRequest, session: PageSession): Promise<PageResponse> {
  const result = await session.confirmSecondFactor(request.form['code']?.[0] ?? '')
  return goOn(request, session, result, () => secondFactorPage(request, 'secondFactorFailed'))
}

async function showSignIn(request: PageRequest, session: PageSession): Promise<PageResponse> {
  const { interaction, person } = request
  if (interaction === null || person === null) return signInPage(request, session)
  return { kind: 'redirect', location: await session.resumeSignIn(interaction, person) }
}

/** The pages at one of the two places; at the second one there must be an authorization that waits. */
function pagesAt(place: Place): readonly Page[] {
  const guarded =
    (handle: (request: PageRequest, session: PageSession) => Promise<PageResponse>): Page['handle'] =>
    (request, _call, session) =>
      place === '/sign-in/:uid' && request.interaction === null
        ? Promise.resolve(interactionGone(request))
        : handle(request, session)
  const page = (method: Page['method'], path: string, handle: Parameters<typeof guarded>[0]): Page => ({
    ...{ method, path, access: 'public', handle: guarded(handle) },
  })
  return [
    page('GET', `${place}/second-factor`, (request, session) =>
      Promise.resolve(
        session.awaitsSecondFactor()
          ? secondFactorPage(request)
          : { kind: 'redirect', location: baseOf(request) },
      ),
    ),
    page('POST', `${place}/second-factor`, answerSecondFactor),
    page('GET', place, showSignIn),
    page('POST', place, answerSignIn),
  ]
}

export const signInPages: readonly Page[] = [
  // The fixed addresses first: ":uid" would take them for its own.
  ...pagesAt('/sign-in'),
  ...pagesAt('/sign-in/:uid'),
  {
    method: 'POST',
    path: '/sign-out',
    access: 'public',
    async handle(_request, _call, session) {
      await session.signOut()
      return { kind: 'redirect', location: '/' }
    },
  },
]
