import type { PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { type TextKey, text } from '../shared/texts.ts'

export const devicePath = '/oauth/device'

interface Localized {
  readonly en: string
  readonly 'zh-CN': string
}

/** What waits behind a code, as the operation device.find answers it. */
export interface DeviceRequest {
  readonly kind: 'app' | 'cli'
  readonly appId: string | null
  readonly appName: string
  readonly publisherName: string | null
  readonly asks: readonly Localized[]
  readonly address: string
  readonly userAgent: string
  readonly requestedAt: string
}

/** A code as the device shows it, whatever was typed. */
function shownCode(typed: string): string {
  const code = typed
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
    .slice(0, 8)
  return code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4)}` : code
}

/** Asks for the code. A link may bring it, but somebody must still compare it and go on. */
export function codeForm(request: PageRequest, typed: string, problem: TextKey | null): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'deviceTitle'), status: problem === null ? 200 : 422 },
    <form method="post" action={devicePath}>
      <FormFields request={request} />
      <p>{text(locale, 'deviceEnter')}</p>
      <p class="problem">{text(locale, 'deviceWarning')}</p>
      {problem === null ? null : (
        <p class="problem" role="alert">
          {text(locale, problem)}
        </p>
      )}
      <label class="field" for="user_code">
        {text(locale, 'deviceCode')}
      </label>
      <input
        id="user_code"
        name="user_code"
        type="text"
        value={shownCode(typed)}
        maxLength={20}
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        required
      />
      <div class="buttons">
        <button type="submit" name="step" value="code">
          {text(locale, 'continueAction')}
        </button>
      </div>
    </form>,
  )
}

/** Who asks, from where and since when, and the code to compare: what whoever started it can recognise. */
export function DeviceFacts({
  request,
  device,
  userCode,
}: {
  readonly request: PageRequest
  readonly device: DeviceRequest
  readonly userCode: string
}) {
  const { locale } = request
  // 2026-11-22T09:30:05.123Z → 2026-11-22 09:30 UTC
  const time = `${device.requestedAt.slice(0, 16).replace('T', ' ')} UTC`
  const program = device.userAgent === '' ? text(locale, 'deviceUnknownProgram') : device.userAgent
  return (
    <>
      <p>{text(locale, 'deviceCompare')}</p>
      <p class="code">{shownCode(userCode)}</p>
      {device.publisherName === null ? null : (
        <p>{text(locale, 'deviceApp', { app: device.appName, publisher: device.publisherName })}</p>
      )}
      <p>{text(locale, 'deviceOrigin', { time, address: device.address, program })}</p>
      <p class="problem">{text(locale, 'deviceWarning')}</p>
    </>
  )
}

/** The command line asks to act as the person. */
export function cliForm(request: PageRequest, device: DeviceRequest, userCode: string): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'deviceConfirmTitle') },
    <form method="post" action={devicePath}>
      <FormFields request={request} />
      <input type="hidden" name="step" value="decide" />
      <input type="hidden" name="user_code" value={userCode} />
      <DeviceFacts request={request} device={device} userCode={userCode} />
      <p>{text(locale, 'deviceCli')}</p>
      <ul class="rows">
        {device.asks.map((ask) => (
          <li key={ask.en}>{ask[locale]}</li>
        ))}
      </ul>
      <p>{text(locale, 'deviceCliEnd')}</p>
      <div class="buttons">
        <button type="submit" name="decision" value="deny">
          {text(locale, 'doNotAllow')}
        </button>
        <button type="submit" name="decision" value="allow">
          {text(locale, 'allow')}
        </button>
      </div>
    </form>,
  )
}

/** At which merchant the device will act. */
export function merchantForm(
  request: PageRequest,
  merchants: readonly { readonly id: string; readonly name: string }[],
  userCode: string,
): PageResponse {
  const { locale } = request
  return html(
    request,
    { title: text(locale, 'chooseMerchant') },
    <form method="post" action={devicePath}>
      <FormFields request={request} />
      <input type="hidden" name="user_code" value={userCode} />
      <p>{text(locale, 'chooseMerchantHint')}</p>
      <label class="field" for="merchant">
        {text(locale, 'chooseMerchant')}
      </label>
      <select id="merchant" name="merchant_id">
        {merchants.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <div class="buttons">
        <button type="submit" name="step" value="code">
          {text(locale, 'continueAction')}
        </button>
      </div>
    </form>,
  )
}

/** The end: what the device got. */
export function donePage(request: PageRequest, said: 'deviceAllowed' | 'deviceDenied'): PageResponse {
  const { locale } = request
  return html(request, { title: text(locale, 'deviceDoneTitle') }, <p>{text(locale, said)}</p>)
}
