import type { Page, PageCall, PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'
import { type MerchantChoice, withMerchant } from './choose-merchant.tsx'
import type { ConsentQuestion, Localized } from './consent-question.ts'

interface MarketApp {
  readonly id: string
  readonly names: Localized
  readonly publisherName: string
}

async function market(request: PageRequest, call: PageCall, merchant: MerchantChoice): Promise<PageResponse> {
  const { locale } = request
  const { output } = await call('market.list', { merchantId: merchant.id })
  const apps = (output as { readonly data: readonly MarketApp[] }).data
  return html(
    request,
    { title: text(locale, 'marketFor', { merchant: merchant.name }) },
    apps.length === 0 ? (
      <p>{text(locale, 'marketEmpty')}</p>
    ) : (
      <ul class="rows">
        {apps.map((app) => (
          <li key={app.id}>
            <strong>{app.names[locale]}</strong>{' '}
            <span class="hint">{text(locale, 'by', { publisher: app.publisherName })}</span>
            <div>
              <a href={`/m/apps/${app.id}?merchant=${merchant.id}`}>
                {text(locale, 'look')}
                <span class="hint"> · {app.names[locale]}</span>
              </a>
            </div>
          </li>
        ))}
      </ul>
    ),
  )
}

function grantedRows(question: ConsentQuestion) {
  return [...question.required, ...question.optional].filter(({ granted }) => granted)
}

function Installed({
  request,
  question,
}: {
  readonly request: PageRequest
  readonly question: ConsentQuestion
}) {
  const { locale } = request
  const rows = grantedRows(question)
  return (
    <>
      <p>{text(locale, rows.length === 0 ? 'appMayNothing' : 'appMay')}</p>
      <ul>
        {rows.map((row) => (
          <li key={row.scope}>{row.consent[locale]}</li>
        ))}
      </ul>
      <form method="post" action={`/m/installations/${question.installationId}/uninstall`}>
        <FormFields request={request} />
        <input type="hidden" name="app_id" value={question.appId} />
        <p class="hint">{text(locale, 'uninstallHint')}</p>
        <button type="submit">{text(locale, 'uninstall')}</button>
      </form>
    </>
  )
}

async function appPage(
  request: PageRequest,
  call: PageCall,
  merchant: MerchantChoice,
): Promise<PageResponse> {
  const { locale } = request
  const { output } = await call('consent.get', {
    merchantId: merchant.id,
    appId: request.params['appId'] ?? '',
  })
  const question = output as ConsentQuestion
  if (question.installationId === null) {
    return { kind: 'redirect', location: `/m/apps/${question.appId}/consent?merchant=${merchant.id}` }
  }
  return html(
    request,
    { title: text(locale, 'appInstalledAt', { app: question.appNames[locale], merchant: merchant.name }) },
    <>
      <p>{question.words.who[0]?.[locale]}</p>
      <Installed request={request} question={question} />
      <p>
        <a href={`/m/apps/${question.appId}/consent?merchant=${merchant.id}`}>
          {text(locale, 'changePermissions')}
        </a>
      </p>
    </>,
  )
}

export const marketPages: readonly Page[] = [
  {
    method: 'GET',
    path: '/m',
    access: 'signed-in',
    handle: (request, call) =>
      withMerchant(request, call, request.query['merchant'], (merchant) => market(request, call, merchant)),
  },
  {
    method: 'GET',
    path: '/m/apps/:appId',
    access: 'signed-in',
    handle: (request, call) =>
      withMerchant(request, call, request.query['merchant'], (merchant) => appPage(request, call, merchant)),
  },
  {
    method: 'POST',
    path: '/m/installations/:installationId/uninstall',
    access: 'signed-in',
    async handle(request, call) {
      const installationId = request.params['installationId'] ?? ''
      await call('installation.delete', { installationId })
      return { kind: 'redirect', location: '/m' }
    },
  },
]
