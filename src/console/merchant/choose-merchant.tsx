import type { PageCall, PageRequest, PageResponse } from '../page.ts'
import { html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'

export interface MerchantChoice {
  readonly id: string
  readonly name: string
  readonly role: string
}

interface Me {
  readonly merchants: readonly { readonly merchantId: string; readonly name: string; readonly role: string }[]
}

/** The merchants of the signed-in person. */
export async function listMerchants(call: PageCall): Promise<readonly MerchantChoice[]> {
  const { output } = await call('me.get', {})
  return (output as Me).merchants.map(({ merchantId, name, role }) => ({ id: merchantId, name, role }))
}

/**
 * The merchant this page is about: the one named, or the only one. A page that asks, when there are several;
 * a page that says so, when there is none.
 */
export async function withMerchant(
  request: PageRequest,
  call: PageCall,
  asked: string | undefined,
  show: (merchant: MerchantChoice) => Promise<PageResponse>,
): Promise<PageResponse> {
  const merchants = await listMerchants(call)
  const [only] = merchants
  const chosen = merchants.find(({ id }) => id === asked) ?? (merchants.length === 1 ? only : undefined)
  if (chosen !== undefined) return show(chosen)
  const { locale } = request
  if (only === undefined) {
    return html(
      request,
      { title: text(locale, 'market') },
      <p class="problem">{text(locale, 'noMerchant')}</p>,
    )
  }
  const path = new URL(request.path, 'http://page.invalid').pathname
  return html(
    request,
    { title: text(locale, 'chooseMerchant') },
    <form method="get" action={path}>
      <p>{text(locale, 'chooseMerchantHint')}</p>
      <label class="field" for="merchant">
        {text(locale, 'chooseMerchant')}
      </label>
      <select id="merchant" name="merchant">
        {merchants.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <div class="buttons">
        <button type="submit">{text(locale, 'continueAction')}</button>
      </div>
    </form>,
  )
}
