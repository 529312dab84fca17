import type { PageRequest } from '../page.ts'
import { FormFields } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'
import { Time } from '../shared/time.tsx'
import type { Account } from './account-data.ts'
import { Field, OwnPassword, Submit } from './fields.tsx'

export interface SectionProps {
  readonly request: PageRequest
  readonly account: Account
}

export function ProfileSection({ request, account: { me } }: SectionProps) {
  const { locale } = request
  return (
    <section id="profile">
      <h2>{text(locale, 'accountProfile')}</h2>
      {me.email === null ? null : <p class="hint">{text(locale, 'accountEmail', { email: me.email })}</p>}
      <form method="post" action="/account/profile">
        <FormFields request={request} />
        <Field
          id="display_name"
          name="display_name"
          label={text(locale, 'displayName')}
          value={me.displayName}
          autocomplete="name"
          maxLength={100}
        />
        <label class="field" for="locale">
          {text(locale, 'accountLanguage')}
        </label>
        <select id="locale" name="locale">
          <option value="en" lang="en" selected={me.locale === 'en'}>
            English
          </option>
          <option value="zh-CN" lang="zh-CN" selected={me.locale === 'zh-CN'}>
            简体中文
          </option>
        </select>
        <Submit locale={locale} label="save" />
      </form>
    </section>
  )
}

export function PasswordSection({ request, account }: SectionProps) {
  const { locale } = request
  const { password } = account.methods
  return (
    <section id="password">
      <h2>{text(locale, 'password')}</h2>
      <p class="hint">{text(locale, password ? 'passwordChangeHint' : 'passwordFirstHint')}</p>
      <form method="post" action="/account/password">
        <FormFields request={request} />
        <OwnPassword id="password_own" account={account} locale={locale} />
        <Field
          id="new_password"
          name="new_password"
          type="password"
          label={text(locale, 'newPassword')}
          autocomplete="new-password"
        />
        <p class="hint">{text(locale, 'newPasswordHint')}</p>
        <Submit locale={locale} label={password ? 'passwordChange' : 'passwordChoose'} />
      </form>
    </section>
  )
}

function ProviderAccount({
  request,
  account,
  provider,
}: SectionProps & { readonly provider: Account['methods']['providers'][number] }) {
  const { locale } = request
  return (
    <li>
      <strong>{new URL(provider.issuer).host}</strong>
      <div class="hint">
        {text(locale, 'addedOn')} <Time iso={provider.createdAt} locale={locale} />
      </div>
      <details>
        <summary>{text(locale, 'disconnect')}</summary>
        <form method="post" action={`/account/provider/${provider.id}/remove`}>
          <FormFields request={request} />
          <OwnPassword id={`own_${provider.id}`} account={account} locale={locale} />
          <Submit locale={locale} label="disconnect" />
        </form>
      </details>
    </li>
  )
}

/** Nothing where there is no identity provider and never was one. */
export function ProviderSection({ request, account }: SectionProps) {
  const { locale } = request
  const { providerName, methods } = account
  const name = providerName ?? ''
  if (providerName === null && methods.providers.length === 0) return null
  return (
    <section id="provider">
      <h2>{text(locale, 'providerTitle')}</h2>
      <ul class="rows">
        {methods.providers.map((provider) => (
          <ProviderAccount key={provider.id} request={request} account={account} provider={provider} />
        ))}
      </ul>
      {providerName === null ? null : (
        <form method="post" action="/account/provider">
          <FormFields request={request} />
          <p class="hint">{text(locale, 'providerConnectHint', { name })}</p>
          <OwnPassword id="provider_own" account={account} locale={locale} />
          <div class="buttons">
            <button type="submit">{text(locale, 'providerConnect', { name })}</button>
          </div>
        </form>
      )}
    </section>
  )
}
