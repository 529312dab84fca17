import { StoaError } from '../../kernel/index.ts'
import type { Page, PageCall, PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'

/** What the operation invitation.inspect answers. */
interface Invitation {
  readonly name: string | null
  readonly role: string
  readonly email: string
}

async function inspect(call: PageCall, token: string): Promise<Invitation> {
  const { output } = await call('invitation.inspect', { token })
  return output as Invitation
}

function title(request: PageRequest, invitation: Invitation): string {
  return text(request.locale, 'invitationTitle', {
    name: invitation.name ?? text(request.locale, 'productName'),
  })
}

function joinForm(request: PageRequest, invitation: Invitation, token: string): PageResponse {
  return html(
    request,
    { title: title(request, invitation) },
    <form method="post" action="/invitation">
      <FormFields request={request} />
      <input type="hidden" name="token" value={token} />
      <p>{text(request.locale, 'invitationRole', { role: invitation.role })}</p>
      <div class="buttons">
        <button type="submit">{text(request.locale, 'invitationAccept')}</button>
      </div>
    </form>,
  )
}

function accountForm(
  request: PageRequest,
  invitation: Invitation,
  token: string,
  problem?: string,
): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: title(request, invitation), status: problem === undefined ? 200 : 422 },
    <form method="post" action="/invitation">
      <FormFields request={request} />
      <input type="hidden" name="token" value={token} />
      <p>{text(locale, 'invitationRole', { role: invitation.role })}</p>
      <p>{text(locale, 'invitationAccount', { email: invitation.email })}</p>
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <label class="field" for="display_name">
        {text(locale, 'displayName')}
      </label>
      <input id="display_name" name="display_name" type="text" autocomplete="name" required maxLength={100} />
      <label class="field" for="password">
        {text(locale, 'newPassword')}
      </label>
      <input id="password" name="password" type="password" autocomplete="new-password" required />
      <p class="hint">{text(locale, 'newPasswordHint')}</p>
      <p>
        <a href={`/sign-in?return_to=${encodeURIComponent(`/invitation?token=${token}`)}`}>
          {text(locale, 'invitationHaveAccount')}
        </a>
      </p>
      <div class="buttons">
        <button type="submit">{text(locale, 'invitationAccept')}</button>
      </div>
    </form>,
  )
}

async function accept(request: PageRequest, call: PageCall, token: string): Promise<PageResponse> {
  const { person, locale } = request
  if (person !== null) {
    await call('invitation.join', { token })
    return { kind: 'redirect', location: '/' }
  }
  const password = request.form['password']?.[0] ?? ''
  const displayName = request.form['display_name']?.[0] ?? ''
  await call('invitation.accept', { token, password, displayName, locale })
  return { kind: 'redirect', location: '/sign-in' }
}

const passwordProblems: Readonly<Record<string, TextKey>> = {
  'capability.invalid_input': 'newPasswordHint',
  'identity.password_too_common': 'passwordTooCommon',
}

export const invitationPages: readonly Page[] = [
  {
    method: 'GET',
    path: '/invitation',
    access: 'public',
    async handle(request, call) {
      const token = request.query['token'] ?? ''
      const invitation = await inspect(call, token)
      return request.person === null
        ? accountForm(request, invitation, token)
        : joinForm(request, invitation, token)
    },
  },
  {
    method: 'POST',
    path: '/invitation',
    access: 'public',
    async handle(request, call) {
      const token = request.form['token']?.[0] ?? ''
      try {
        return await accept(request, call, token)
      } catch (error) {
        // A password that is too short or too common is mended in the same form; a dead link is the error page.
        const sentence = error instanceof StoaError ? passwordProblems[error.code] : undefined
        if (sentence === undefined) throw error
        const problem = text(request.locale, sentence)
        return accountForm(request, await inspect(call, token), token, problem)
      }
    },
  },
]
