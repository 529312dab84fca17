import type { Locale } from '../page.ts'
import { FormFields } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'
import { Time } from '../shared/time.tsx'
import type { Account } from './account-data.ts'
import { deviceOf } from './device.ts'
import { Field, OwnPassword, Submit } from './fields.tsx'
import type { SectionProps } from './profile-sections.tsx'

function deviceText(locale: Locale, userAgent: string): string {
  const { browser, system } = deviceOf(userAgent)
  if (browser !== null && system !== null) return text(locale, 'deviceBoth', { browser, system })
  return browser ?? system ?? text(locale, 'deviceUnknown')
}

function Session({
  request,
  session,
}: Pick<SectionProps, 'request'> & { readonly session: Account['sessions'][number] }) {
  const { locale } = request
  return (
    <li>
      <strong>{deviceText(locale, session.userAgent)}</strong>{' '}
      {session.current ? <span class="badge">{text(locale, 'sessionCurrent')}</span> : null}
      <div class="hint">
        {text(locale, 'sessionSince')} <Time iso={session.createdAt} locale={locale} />
        {' · '}
        {text(locale, 'lastUsed')} <Time iso={session.seenAt} locale={locale} />
      </div>
      {session.current ? null : (
        <form method="post" action={`/account/sessions/${session.id}/end`}>
          <FormFields request={request} />
          <button class="link" type="submit">
            {text(locale, 'sessionEnd')}
          </button>
        </form>
      )}
    </li>
  )
}

export function SessionSection({ request, account: { sessions } }: SectionProps) {
  const { locale } = request
  return (
    <section id="sessions">
      <h2>{text(locale, 'sessions')}</h2>
      <p class="hint">{text(locale, 'sessionsHint')}</p>
      <ul class="rows">
        {sessions.map((session) => (
          <Session key={session.id} request={request} session={session} />
        ))}
      </ul>
      {sessions.length > 1 ? (
        <form method="post" action="/account/sessions/end-others">
          <FormFields request={request} />
          <Submit locale={locale} label="sessionsEndOthers" />
        </form>
      ) : null}
    </section>
  )
}

const audiences: Readonly<Record<string, TextKey>> = {
  account: 'audienceAccount',
  developer: 'audienceDeveloper',
  merchant: 'audienceMerchant',
  reviewer: 'audienceReviewer',
}

function audienceText(locale: Locale, audience: string): string {
  const key = audiences[audience]
  return key === undefined ? audience : text(locale, key)
}

function Token({
  request,
  token,
}: Pick<SectionProps, 'request'> & { readonly token: Account['tokens'][number] }) {
  const { locale } = request
  return (
    <li>
      <strong>{token.name}</strong>
      <div class="hint">{token.audiences.map((audience) => audienceText(locale, audience)).join(' · ')}</div>
      <div class="hint">
        {text(locale, 'tokenUntil')} <Time iso={token.expiresAt} locale={locale} />
        {' · '}
        {token.lastUsedAt === null ? (
          text(locale, 'neverUsed')
        ) : (
          <>
            {text(locale, 'lastUsed')} <Time iso={token.lastUsedAt} locale={locale} />
          </>
        )}
      </div>
      <form method="post" action={`/account/tokens/${token.id}/revoke`}>
        <FormFields request={request} />
        <button class="link" type="submit">
          {text(locale, 'tokenRevoke')}
        </button>
      </form>
    </li>
  )
}

export function TokenSection({ request, account }: SectionProps) {
  const { locale } = request
  return (
    <section id="tokens">
      <h2>{text(locale, 'tokens')}</h2>
      <p class="hint">{text(locale, 'tokensHint')}</p>
      <ul class="rows">
        {account.tokens.map((token) => (
          <Token key={token.id} request={request} token={token} />
        ))}
      </ul>
      <details>
        <summary>{text(locale, 'tokenNew')}</summary>
        <form method="post" action="/account/tokens">
          <FormFields request={request} />
          <Field id="token_name" name="token_name" label={text(locale, 'tokenName')} maxLength={100} />
          <fieldset>
            <legend>{text(locale, 'tokenAudiences')}</legend>
            {Object.keys(audiences).map((audience) => (
              <label class="choice" key={audience}>
                <input type="checkbox" name="audience" value={audience} />
                <span>{audienceText(locale, audience)}</span>
              </label>
            ))}
          </fieldset>
          <OwnPassword id="token_own" account={account} locale={locale} />
          <Submit locale={locale} label="tokenNew" />
        </form>
      </details>
    </section>
  )
}
