import type { ComponentChildren } from 'preact'
import type { PageRequest } from '../page.ts'
import { FormFields } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'

export const passkeyScriptPath = '/assets/passkeys.js'

interface PasskeyFormProps {
  readonly request: PageRequest
  readonly action: string
  /** Whether the browser asks for a passkey it has, or makes one. */
  readonly what: 'get' | 'create'
  readonly options: unknown
  readonly button: string
  /** Further hidden fields. */
  readonly children: ComponentChildren
}

/** Hidden until the script has found that the browser knows passkeys; the script fills in `credential`. */
export function PasskeyForm({ request, action, what, options, button, children }: PasskeyFormProps) {
  return (
    <form method="post" action={action} data-passkey={what} data-options={JSON.stringify(options)} hidden>
      <FormFields request={request} />
      {children}
      <input type="hidden" name="credential" value="" />
      <p class="problem" role="alert" data-passkey-problem hidden>
        {text(request.locale, what === 'get' ? 'passkeyNone' : 'passkeyNotMade')}
      </p>
      <div class="buttons">
        <button type="submit">{button}</button>
      </div>
    </form>
  )
}
