import { StoaError } from '../../kernel/index.ts'
import { listMerchants } from '../merchant/choose-merchant.tsx'
import { consentForm } from '../merchant/consent-form.tsx'
import type { ConsentQuestion } from '../merchant/consent-question.ts'
import type { Page, PageCall, PageRequest, PageResponse } from '../page.ts'
import { html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'
import {
  cliForm,
  codeForm,
  DeviceFacts,
  type DeviceRequest,
  devicePath,
  donePage,
  merchantForm,
} from './device-forms.tsx'

const problems: Readonly<Record<string, TextKey>> = {
  'oauth.user_code_not_found': 'deviceWrong',
  'oauth.too_many_user_codes': 'deviceTooMany',
}

function field(request: PageRequest, name: string): string {
  return request.form[name]?.[0] ?? ''
}

async function findDevice(call: PageCall, userCode: string): Promise<DeviceRequest> {
  const { output } = await call('device.find', { userCode })
  return output as DeviceRequest
}

/** The consent page of an app, with what is particular to a device above it. */
async function showApp(
  request: PageRequest,
  call: PageCall,
  device: DeviceRequest,
  { userCode, problem }: { readonly userCode: string; readonly problem?: string },
): Promise<PageResponse> {
  const merchants = await listMerchants(call)
  const asked = field(request, 'merchant_id')
  const merchant =
    merchants.find(({ id }) => id === asked) ?? (merchants.length === 1 ? merchants[0] : undefined)
  const { locale } = request
  if (merchants.length === 0)
    return html(
      request,
      { title: text(locale, 'deviceTitle') },
      <p class="problem">{text(locale, 'noMerchant')}</p>,
    )
  if (merchant === undefined) return merchantForm(request, merchants, userCode)
  const { output } = await call('consent.get', { merchantId: merchant.id, appId: device.appId, userCode })
  return consentForm(request, {
    question: output as ConsentQuestion,
    merchant,
    action: devicePath,
    hidden: { step: 'decide', user_code: userCode, app_id: device.appId ?? '' },
    intro: <DeviceFacts request={request} device={device} userCode={userCode} />,
    ...(problem === undefined ? {} : { problem }),
  })
}

async function show(request: PageRequest, call: PageCall, userCode: string): Promise<PageResponse> {
  const device = await findDevice(call, userCode)
  return device.kind === 'cli'
    ? cliForm(request, device, userCode)
    : showApp(request, call, device, { userCode })
}

async function decide(request: PageRequest, call: PageCall, userCode: string): Promise<PageResponse> {
  if (field(request, 'decision') !== 'allow') {
    await call('device.deny', { userCode })
    return donePage(request, 'deviceDenied')
  }
  const appId = field(request, 'app_id')
  if (appId === '') {
    await call('device.approve', { userCode })
    return donePage(request, 'deviceAllowed')
  }
  try {
    await call('installation.create', {
      ...{
        merchantId: field(request, 'merchant_id'),
        appId,
        versionId: field(request, 'version_id'),
        userCode,
      },
      optionalScopes: request.form['optional'] ?? [],
      separateScopes: request.form['separate'] ?? [],
      textSha256: field(request, 'text'),
      locale: request.locale,
    })
  } catch (error) {
    // A box that had to be ticked apart was not: the question again.
    if (!(error instanceof StoaError) || error.code !== 'install.separate_consent_missing') throw error
    const problem = text(request.locale, 'separateMissing')
    return showApp(request, call, await findDevice(call, userCode), { userCode, problem })
  }
  return donePage(request, 'deviceAllowed')
}

/** RFC 8628 §3.3: where a person tells which device may go on. Only signed in, and never by a link alone. */
export const devicePages: readonly Page[] = [
  {
    method: 'GET',
    path: devicePath,
    access: 'signed-in',
    handle: (request) => Promise.resolve(codeForm(request, request.query['user_code'] ?? '', null)),
  },
  {
    method: 'POST',
    path: devicePath,
    access: 'signed-in',
    async handle(request, call) {
      const userCode = field(request, 'user_code').slice(0, 40)
      if (userCode.trim() === '') return codeForm(request, '', 'deviceWrong')
      try {
        const isDecision = field(request, 'step') === 'decide'
        return await (isDecision ? decide(request, call, userCode) : show(request, call, userCode))
      } catch (error) {
        const problem = error instanceof StoaError ? problems[error.code] : undefined
        if (problem === undefined) throw error
        return codeForm(request, userCode, problem)
      }
    },
  },
]
