import type { Page, PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'

/** Only a path of our own: anything else would make sign-in an open redirector. */
function safeReturn(target: string | undefined): string {
  if (target === undefined || !/^\/(?![/\\])/.test(target)) return '/'
  const url = new URL(target, 'http://page.invalid')
  // "/.//host" is a path of ours until its dots are resolved.
  const isOwn = url.host === 'page.invalid' && !url.pathname.startsWith('//')
  return isOwn ? url.pathname + url.search : '/'
}

function signInPage(request: PageRequest, returnTo: string, failed: boolean): PageResponse {
  const { locale, interaction } = request
  const action = interaction === null ? '/sign-in' : `/sign-in/${interaction.uid}`
  return html(
    request,
    {
      title: text(locale, interaction === null ? 'signIn' : 'signInForApp'),
      status: failed ? 401 : 200,
      ...(interaction === null ? {} : { formActionOrigins: [interaction.redirectOrigin] }),
    },
    <form method="post" action={action}>
      <FormFields request={request} />
      <input type="hidden" name="return_to" value={returnTo} />
      {failed ? (
        <p class="problem" role="alert">
          {text(locale, 'signInFailed')}
        </p>
      ) : null}
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
    </form>,
  )
}

function gone(request: PageRequest): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'errorTitle'), status: 410 },
    <p class="problem" role="alert">
      {text(locale, 'interactionGone')}
    </p>,
  )
}

/** The page of an authorization request that is no longer there. */
export const interactionGone = gone

export const signInPages: readonly Page[] = [
  {
    method: 'GET',
    path: '/sign-in',
    access: 'public',
    handle: (request) => Promise.resolve(signInPage(request, safeReturn(request.query['return_to']), false)),
  },
  {
    method: 'POST',
    path: '/sign-in',
    access: 'public',
    async handle(request, _call, session) {
      const returnTo = safeReturn(request.form['return_to']?.[0])
      const person = await session.signIn(credentialsOf(request))
      return person === null ? signInPage(request, returnTo, true) : { kind: 'redirect', location: returnTo }
    },
  },
  {
    method: 'GET',
    path: '/sign-in/:uid',
    access: 'public',
    async handle(request, _call, session) {
      const { interaction, person } = request
      if (interaction === null) return gone(request)
      if (person === null) return signInPage(request, '/', false)
      return { kind: 'redirect', location: await session.resumeSignIn(interaction, person) }
    },
  },
  {
    method: 'POST',
    path: '/sign-in/:uid',
    access: 'public',
    async handle(request, _call, session) {
      const { interaction } = request
      if (interaction === null) return gone(request)
      const person = await session.signIn(credentialsOf(request))
      if (person === null) return signInPage(request, '/', true)
      return { kind: 'redirect', location: await session.resumeSignIn(interaction, person) }
    },
  },
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

function credentialsOf(request: PageRequest) {
  return { email: request.form['email']?.[0] ?? '', password: request.form['password']?.[0] ?? '' }
}
