import { StoaError } from '../../kernel/index.ts'
import type { Page, PageCall, PageRequest, PageResponse, PageSession } from '../page.ts'
import { html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'
import { readAccount } from './account-data.ts'
import { SessionSection, TokenSection } from './credential-sections.tsx'
import { PasskeySection, SecondFactorSection } from './factor-sections.tsx'
import { PasswordSection, ProfileSection, ProviderSection } from './profile-sections.tsx'

/** What was just done, as the address after it says: `/account?done=password`. */
const doneTexts: Readonly<Record<string, TextKey>> = {
  profile: 'doneProfile',
  password: 'donePassword',
  'second-factor': 'doneSecondFactor',
  passkey: 'donePasskey',
  'passkey-removed': 'donePasskeyRemoved',
  provider: 'doneProvider',
  'provider-removed': 'doneProviderRemoved',
  session: 'doneSession',
  token: 'doneToken',
}

/** What went wrong that a person can mend on the page; everything else is the error page. */
const problemTexts: Readonly<Record<string, TextKey>> = {
  'identity.password_required': 'ownPasswordWrong',
  'identity.password_refused': 'ownPasswordWrong',
  'identity.too_many_attempts': 'tooManyAttempts',
  'identity.sign_in_again': 'signInAgain',
  'identity.password_too_common': 'passwordTooCommon',
  'identity.email_missing': 'emailMissing',
  'identity.code_refused': 'secondFactorFailed',
  'identity.enrolment_not_valid': 'enrolmentOver',
  'identity.second_factor_exists': 'secondFactorExists',
  'identity.passkey_refused': 'passkeyNotMade',
  'identity.passkey_exists': 'passkeyExists',
  'identity.too_many_passkeys': 'tooManyPasskeys',
  'identity.too_many_tokens': 'tooManyTokens',
  'identity.last_way_in': 'lastWayIn',
  'identity.provider_account_taken': 'providerAccountTaken',
  'capability.invalid_input': 'inputNotUsable',
}

/** The sentence for what went wrong; the error itself when a page can say nothing about it. */
export function problemOf(error: unknown): { readonly problem: TextKey; readonly status: number } {
  const problem = error instanceof StoaError ? problemTexts[error.code] : undefined
  if (problem === undefined) throw error
  return { problem, status: (error as StoaError).status }
}

interface Message {
  readonly problem?: TextKey
  readonly status?: number
}

/** The whole account on one page, with what went wrong above it. */
export async function showAccount(
  request: PageRequest,
  call: PageCall,
  session: PageSession,
  { problem, status = 200 }: Message = {},
): Promise<PageResponse> {
  const { locale } = request
  const account = await readAccount(call, session)
  const done = problem === undefined ? doneTexts[request.query['done'] ?? ''] : undefined
  const props = { request, account }
  return html(
    request,
    { title: text(locale, 'account'), status },
    <>
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {text(locale, problem)}
        </p>
      )}
      {done === undefined ? null : (
        <p class="done" role="status">
          {text(locale, done)}
        </p>
      )}
      <ProfileSection {...props} />
      <PasswordSection {...props} />
      <SecondFactorSection {...props} />
      <PasskeySection {...props} />
      <ProviderSection {...props} />
      <SessionSection {...props} />
      <TokenSection {...props} />
    </>,
  )
}

export const accountPage: Page = {
  method: 'GET',
  path: '/account',
  access: 'signed-in',
  handle: (request, call, session) => showAccount(request, call, session),
}
