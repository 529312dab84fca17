import type { Page, PageCall, PageRequest, PageResponse, PageSession } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'
import { problemOf, showAccount } from './account-page.tsx'
import { Field, Submit } from './fields.tsx'
import { PasskeyForm, passkeyScriptPath } from './passkey-form.tsx'
import { continueToProvider } from './provider-pages.tsx'
import { QrCode } from './qr-code.tsx'

type Act = (request: PageRequest, call: PageCall, session: PageSession) => Promise<PageResponse>

function field({ form }: PageRequest, name: string): string {
  return form[name]?.[0] ?? ''
}

/** The password as operations take it: absent where the form asks for none. */
function own(request: PageRequest): { readonly password?: string } {
  const password = request.form['own_password']?.[0]
  return password === undefined ? {} : { password }
}

/** An action of the account's page: what can be mended is said there. */
function action(path: string, act: Act): Page {
  return {
    method: 'POST',
    path: `/account/${path}`,
    access: 'signed-in',
    async handle(request, call, session) {
      try {
        return await act(request, call, session)
      } catch (error) {
        return showAccount(request, call, session, problemOf(error))
      }
    },
  }
}

function done(what: string): PageResponse {
  return { kind: 'redirect', location: `/account?done=${what}` }
}

// ── second factor

interface Enrolment {
  /** The otpauth: address. */
  readonly uri: string
  readonly enrolment: string
}

function enrolPage(request: PageRequest, { uri, enrolment }: Enrolment, problem?: TextKey): PageResponse {
  const { locale } = request
  const secret = (URL.canParse(uri) ? new URL(uri).searchParams.get('secret') : null) ?? ''
  return html(
    request,
    { title: text(locale, 'secondFactorSetUp'), status: problem === undefined ? 200 : 422 },
    <form method="post" action="/account/second-factor/confirm">
      <FormFields request={request} />
      <input type="hidden" name="uri" value={uri} />
      <input type="hidden" name="enrolment" value={enrolment} />
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {text(locale, problem)}
        </p>
      )}
      <p>{text(locale, 'secondFactorScan')}</p>
      <QrCode text={uri} label={text(locale, 'secondFactorQr')} />
      <p>{text(locale, 'secondFactorType')}</p>
      <p>
        <code class="secret">{secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
      </p>
      <Field
        id="code"
        name="code"
        label={text(locale, 'secondFactorFirst')}
        autocomplete="one-time-code"
        maxLength={16}
      />
      <Submit locale={locale} label="secondFactorTurnOn" />
    </form>,
  )
}

function recoveryCodesPage(request: PageRequest, codes: readonly string[]): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'recoveryCodes') },
    <>
      <p>{text(locale, 'recoveryCodesHint')}</p>
      <pre>{codes.join('\n')}</pre>
      <p>
        <a href="/account?done=second-factor">{text(locale, 'recoveryCodesKept')}</a>
      </p>
    </>,
  )
}

interface Codes {
  readonly recoveryCodes: readonly string[]
}

/** A wrong code is mended on the page it was typed into. */
async function confirmSecondFactor(request: PageRequest, call: PageCall): Promise<PageResponse> {
  const begun = { uri: field(request, 'uri').slice(0, 1_000), enrolment: field(request, 'enrolment') }
  try {
    const input = { enrolment: begun.enrolment, code: field(request, 'code') }
    const { output } = await call('second_factor.confirm', input)
    return recoveryCodesPage(request, (output as Codes).recoveryCodes)
  } catch (error) {
    const { problem } = problemOf(error)
    if (problem === 'secondFactorFailed') return enrolPage(request, begun, problem)
    throw error
  }
}

const secondFactorActions = [
  action('second-factor', async (request, call) => {
    const { output } = await call('second_factor.enrol', own(request))
    return enrolPage(request, output as Enrolment)
  }),
  action('second-factor/confirm', confirmSecondFactor),
  action('second-factor/remove', async (request, call) => {
    await call('second_factor.remove', own(request))
    return done('second-factor')
  }),
  action('recovery-codes', async (request, call) => {
    const { output } = await call('recovery_code.replace', own(request))
    return recoveryCodesPage(request, (output as Codes).recoveryCodes)
  }),
]

// ── passkeys

interface PasskeyEnrolment {
  readonly options: unknown
  readonly enrolment: string
}

function createPasskeyPage(request: PageRequest, { options, enrolment }: PasskeyEnrolment): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'passkeyAdd'), script: passkeyScriptPath },
    <>
      <p>{text(locale, 'passkeyAddHint')}</p>
      <p class="hint" data-without-passkeys>
        {text(locale, 'passkeyNeedsScript')}
      </p>
      <PasskeyForm
        request={request}
        action="/account/passkeys/add"
        what="create"
        options={options}
        button={text(locale, 'passkeyAdd')}
      >
        <input type="hidden" name="enrolment" value={enrolment} />
      </PasskeyForm>
      <p>
        <a href="/account">{text(locale, 'accountBack')}</a>
      </p>
    </>,
  )
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

const passkeyActions = [
  action('passkeys', async (request, call) => {
    const { output } = await call('passkey.enrol', { name: field(request, 'passkey_name'), ...own(request) })
    return createPasskeyPage(request, output as PasskeyEnrolment)
  }),
  action('passkeys/add', async (request, call) => {
    const credential = parsed(field(request, 'credential'))
    await call('passkey.add', { enrolment: field(request, 'enrolment'), credential })
    return done('passkey')
  }),
  action('passkeys/:passkeyId/remove', async (request, call) => {
    await call('passkey.remove', { passkeyId: request.params['passkeyId'], ...own(request) })
    return done('passkey-removed')
  }),
]

// ── personal tokens

function tokenPage(request: PageRequest, token: string): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'tokenNew') },
    <>
      <p>{text(locale, 'tokenShown')}</p>
      <pre>{token}</pre>
      <p>
        <a href="/account">{text(locale, 'accountBack')}</a>
      </p>
    </>,
  )
}

const credentialActions = [
  action('sessions/end-others', async (_request, call) => {
    await call('session.end_others', {})
    return done('session')
  }),
  action('sessions/:sessionId/end', async (request, call) => {
    await call('session.end', { sessionId: request.params['sessionId'] })
    return done('session')
  }),
  action('tokens', async (request, call) => {
    const { output } = await call('personal_token.issue', {
      name: field(request, 'token_name'),
      audiences: request.form['audience'] ?? [],
      ...own(request),
    })
    return tokenPage(request, (output as { readonly token: string }).token)
  }),
  action('tokens/:tokenId/revoke', async (request, call) => {
    await call('personal_token.revoke', { tokenId: request.params['tokenId'] })
    return done('token')
  }),
]

/** Everything that the forms of the account's page do. */
export const accountActions: readonly Page[] = [
  action('profile', async (request, call) => {
    await call('me.update', {
      displayName: field(request, 'display_name'),
      locale: field(request, 'locale'),
    })
    return done('profile')
  }),
  action('password', async (request, call) => {
    const { password: currentPassword } = own(request)
    await call('password.change', {
      newPassword: field(request, 'new_password'),
      ...(currentPassword === undefined ? {} : { currentPassword }),
    })
    return done('password')
  }),
  ...secondFactorActions,
  ...passkeyActions,
  action('provider', async (request, _call, session) => {
    const { password } = own(request)
    const location = await session.askProvider({ mode: 'link', returnTo: '/account', password })
    return continueToProvider(request, session, location)
  }),
  action('provider/:signInId/remove', async (request, call) => {
    await call('provider_sign_in.remove', { signInId: request.params['signInId'], ...own(request) })
    return done('provider-removed')
  }),
  ...credentialActions,
]
