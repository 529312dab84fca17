import type { Locale, Page, PageCall, PageRequest, PageResponse } from '../page.ts'
import { html } from '../shared/shell.tsx'
import { moment, text } from '../shared/texts.ts'
import { type MerchantChoice, withMerchant } from './choose-merchant.tsx'

interface AccessEntry {
  readonly id: string
  readonly at: string
  readonly actor: 'app' | 'person' | 'host'
  readonly appId: string | null
  readonly operation: string
  readonly outcome: 'ok' | 'denied' | 'failed'
  readonly code: string | null
  readonly rows: number
  readonly personal: boolean
}

interface AccessPage {
  readonly data: readonly AccessEntry[]
  readonly nextCursor: string | null
}

/** Names of the installed apps by id; one that has been uninstalled is known by its id alone. */
async function appNames(call: PageCall, merchantId: string): Promise<ReadonlyMap<string, string>> {
  const { output } = await call('installation.list', { merchantId, limit: 200 })
  const { data } = output as { readonly data: readonly { appId: string; appName: string }[] }
  return new Map(data.map(({ appId, appName }) => [appId, appName]))
}

function who(locale: Locale, { actor, appId }: AccessEntry, names: ReadonlyMap<string, string>): string {
  if (actor === 'app') return names.get(appId ?? '') ?? appId ?? ''
  return text(locale, actor === 'person' ? 'accessPerson' : 'accessHost')
}

function result(locale: Locale, { outcome, rows, code }: AccessEntry): string {
  if (outcome === 'ok') return text(locale, 'accessOk', { rows: String(rows) })
  return text(locale, outcome === 'denied' ? 'accessDenied' : 'accessFailed', { code: code ?? '' })
}

function Entries({
  locale,
  entries,
  names,
}: {
  readonly locale: Locale
  readonly entries: readonly AccessEntry[]
  readonly names: ReadonlyMap<string, string>
}) {
  return (
    <ul class="rows">
      {entries.map((entry) => (
        <li key={entry.id}>
          <strong>{who(locale, entry, names)}</strong> · <code>{entry.operation}</code>
          {entry.personal ? (
            <>
              {' '}
              <span class="badge private">{text(locale, 'accessPersonal')}</span>
            </>
          ) : null}
          <div class="hint">
            {moment(locale, entry.at)} · {result(locale, entry)}
          </div>
        </li>
      ))}
    </ul>
  )
}

async function showAccess(
  request: PageRequest,
  call: PageCall,
  merchant: MerchantChoice,
): Promise<PageResponse> {
  const { locale } = request
  const after = request.query['after']
  const asked = { merchantId: merchant.id, ...(after === undefined ? {} : { after }) }
  const { data, nextCursor } = (await call('access.list', asked)).output as AccessPage
  const older = new URLSearchParams({ merchant: merchant.id, after: nextCursor ?? '' })
  return html(
    request,
    { title: text(locale, 'accessTitle', { merchant: merchant.name }) },
    <>
      <p>{text(locale, data.length === 0 ? 'accessEmpty' : 'accessHint')}</p>
      <Entries locale={locale} entries={data} names={await appNames(call, merchant.id)} />
      {nextCursor === null ? null : (
        <p>
          <a href={`/m/access?${older}`}>{text(locale, 'accessOlder')}</a>
        </p>
      )}
    </>,
  )
}

/** Who used which capability on the merchant's data: where the consent page sends those who want to know. */
export const accessPage: Page = {
  method: 'GET',
  path: '/m/access',
  access: 'signed-in',
  handle: (request, call) =>
    withMerchant(request, call, request.query['merchant'], (merchant) => showAccess(request, call, merchant)),
}
