import { FormFields } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'
import { Time } from '../shared/time.tsx'
import type { Account } from './account-data.ts'
import { Field, OwnPassword, Submit } from './fields.tsx'
import type { SectionProps } from './profile-sections.tsx'

function SecondFactorOn({
  request,
  account,
  factor,
}: SectionProps & { readonly factor: NonNullable<Account['methods']['secondFactor']> }) {
  const { locale } = request
  const left = String(factor.recoveryCodesLeft)
  return (
    <>
      <p>
        {text(locale, 'secondFactorOn')} <Time iso={factor.createdAt} locale={locale} />
      </p>
      <p class="hint">{text(locale, 'recoveryCodesLeft', { left })}</p>
      <details>
        <summary>{text(locale, 'recoveryCodesNew')}</summary>
        <form method="post" action="/account/recovery-codes">
          <FormFields request={request} />
          <p class="hint">{text(locale, 'recoveryCodesNewHint')}</p>
          <OwnPassword id="codes_own" account={account} locale={locale} />
          <Submit locale={locale} label="recoveryCodesNew" />
        </form>
      </details>
      <details>
        <summary>{text(locale, 'secondFactorRemove')}</summary>
        <form method="post" action="/account/second-factor/remove">
          <FormFields request={request} />
          <p class="hint">{text(locale, 'secondFactorRemoveHint')}</p>
          <OwnPassword id="factor_own" account={account} locale={locale} />
          <Submit locale={locale} label="secondFactorRemove" />
        </form>
      </details>
    </>
  )
}

export function SecondFactorSection({ request, account }: SectionProps) {
  const { locale } = request
  const { secondFactor } = account.methods
  return (
    <section id="second-factor">
      <h2>{text(locale, 'secondFactor')}</h2>
      {secondFactor === null ? (
        <form method="post" action="/account/second-factor">
          <FormFields request={request} />
          <p class="hint">{text(locale, 'secondFactorOffer')}</p>
          <OwnPassword id="factor_own" account={account} locale={locale} />
          <Submit locale={locale} label="secondFactorSetUp" />
        </form>
      ) : (
        <SecondFactorOn request={request} account={account} factor={secondFactor} />
      )}
    </section>
  )
}

function Passkey({
  request,
  account,
  passkey,
}: SectionProps & { readonly passkey: Account['methods']['passkeys'][number] }) {
  const { locale } = request
  const { id, name, createdAt, lastUsedAt } = passkey
  return (
    <li>
      <strong>{name}</strong>
      <div class="hint">
        {text(locale, 'addedOn')} <Time iso={createdAt} locale={locale} />
        {' · '}
        {lastUsedAt === null ? (
          text(locale, 'neverUsed')
        ) : (
          <>
            {text(locale, 'lastUsed')} <Time iso={lastUsedAt} locale={locale} />
          </>
        )}
      </div>
      <details>
        <summary>{text(locale, 'remove')}</summary>
        <form method="post" action={`/account/passkeys/${id}/remove`}>
          <FormFields request={request} />
          <OwnPassword id={`own_${id}`} account={account} locale={locale} />
          <Submit locale={locale} label="passkeyRemove" />
        </form>
      </details>
    </li>
  )
}

export function PasskeySection({ request, account }: SectionProps) {
  const { locale } = request
  return (
    <section id="passkeys">
      <h2>{text(locale, 'passkeys')}</h2>
      <ul class="rows">
        {account.methods.passkeys.map((passkey) => (
          <Passkey key={passkey.id} request={request} account={account} passkey={passkey} />
        ))}
      </ul>
      {account.passkeysPossible ? (
        <form method="post" action="/account/passkeys">
          <FormFields request={request} />
          <p class="hint">{text(locale, 'passkeyOffer')}</p>
          <Field id="passkey_name" name="passkey_name" label={text(locale, 'passkeyName')} maxLength={100} />
          <OwnPassword id="passkey_own" account={account} locale={locale} />
          <Submit locale={locale} label="continueAction" />
        </form>
      ) : (
        <p class="hint">{text(locale, 'passkeysImpossible')}</p>
      )}
    </section>
  )
}
