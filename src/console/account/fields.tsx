import type { Locale } from '../page.ts'
import { type TextKey, text } from '../shared/texts.ts'
import type { Account } from './account-data.ts'

interface FieldProps {
  readonly id: string
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'password'
  readonly value?: string
  readonly autocomplete?: string
  readonly maxLength?: number
}

/** A labelled field of one line that must be filled in. */
export function Field({
  id,
  name,
  label,
  type = 'text',
  value,
  autocomplete = 'off',
  maxLength,
}: FieldProps) {
  const attributes = {
    ...{ id, name, autocomplete, required: true },
    ...(value === undefined ? {} : { value }),
    ...(maxLength === undefined ? {} : { maxLength }),
  }
  return (
    <>
      <label class="field" for={id}>
        {label}
      </label>
      {type === 'password' ? (
        <input type="password" {...attributes} />
      ) : (
        <input type="text" {...attributes} />
      )}
    </>
  )
}

/** Asks for the password of whoever has one; of somebody without one, a sign-in of a moment ago is asked instead. */
export function OwnPassword({
  id,
  account,
  locale,
}: {
  readonly id: string
  readonly account: Pick<Account, 'methods'>
  readonly locale: Locale
}) {
  if (!account.methods.password) return <p class="hint">{text(locale, 'noPasswordHint')}</p>
  return (
    <Field
      id={id}
      name="own_password"
      type="password"
      label={text(locale, 'ownPassword')}
      autocomplete="current-password"
    />
  )
}

export function Submit({ locale, label }: { readonly locale: Locale; readonly label: TextKey }) {
  return (
    <div class="buttons">
      <button type="submit">{text(locale, label)}</button>
    </div>
  )
}
