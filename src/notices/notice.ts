import type { Localized } from '../capability/index.ts'

/** What a notice about an endpoint tells: names, no secrets; of the URL only its host. */
export interface EndpointNotice {
  readonly appId: string
  readonly appName: string
  readonly endpointId: string
  readonly host: string
  readonly reason: string
}

/** The kinds of notices, and what the row of each holds. */
export interface NoticeData {
  readonly 'endpoint.paused': EndpointNotice
  readonly 'endpoint.resumed': EndpointNotice
  readonly 'endpoint.stopped': EndpointNotice
}

export type NoticeKind = keyof NoticeData

/** `{name}` stands for the member of the notice's data. */
interface NoticeTexts {
  readonly title: Localized
  readonly text: Localized
  /** A sentence of its own for some reasons, put before the text. */
  readonly reasons?: Readonly<Record<string, Localized>>
}

/** A notice as it is stored: members that its kind no longer knows stay as they are. */
export interface StoredNotice {
  readonly id: string
  readonly publisherId: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
  readonly createdAtMs: number
  readonly readAtMs: number | null
}

const texts: { readonly [K in NoticeKind]: NoticeTexts } = {
  'endpoint.paused': {
    title: { en: 'Webhooks to {host} are paused', 'zh-CN': '发往 {host} 的 Webhook 已暂停' },
    text: {
      en: 'Nothing is lost: events for “{appName}” wait. One of them is tried from time to time, and as soon as one is answered with 2xx, sending goes on by itself. When the receiver works again, you can also resume the endpoint at once.',
      'zh-CN':
        '事件不会丢失：“{appName}”的事件会继续排队。平台会不时用其中一个事件试投，一旦收到 2xx 响应便自动恢复发送。接收端恢复正常后，您也可以立即手动恢复该端点。',
    },
    reasons: {
      failing: {
        en: 'For 72 hours no event was answered with 2xx.',
        'zh-CN': '连续 72 小时没有任何事件收到 2xx 响应。',
      },
      exhausted: {
        en: 'An event used up its last attempt without being received.',
        'zh-CN': '有一个事件用完了全部投递次数，仍未被接收。',
      },
      address_refused: {
        en: 'Its address is not public, so nothing is sent there.',
        'zh-CN': '该地址不是公网地址，平台不会向其发送任何内容。',
      },
    },
  },
  'endpoint.resumed': {
    title: { en: 'Webhooks to {host} are sent again', 'zh-CN': '发往 {host} 的 Webhook 已恢复' },
    text: {
      en: 'The receiver answered with 2xx. What had waited for “{appName}” is on its way, oldest first.',
      'zh-CN': '接收端返回了 2xx。“{appName}”积压的事件正按从旧到新的顺序发送。',
    },
  },
  'endpoint.stopped': {
    title: { en: 'Webhooks to {host} have stopped', 'zh-CN': '发往 {host} 的 Webhook 已停止' },
    text: {
      en: 'No further event for “{appName}” is sent there. What it has not got can be pulled; for webhooks, delete the endpoint and register one again.',
      'zh-CN':
        '“{appName}”的事件不再发往该地址。尚未收到的事件可以主动拉取；如需继续使用 Webhook，请删除该端点后重新注册。',
    },
    reasons: {
      gone: { en: 'The receiver answered 410 Gone.', 'zh-CN': '接收端返回了 410 Gone。' },
      disabled: {
        en: 'The receiver asked for it with the header webhook-delivery: disable.',
        'zh-CN': '接收端通过响应头 webhook-delivery: disable 要求停止。',
      },
    },
  },
}

export const noticeKinds = Object.keys(texts) as readonly NoticeKind[]

/** Whether this version of the platform has texts for the kind. */
function isNoticeKind(kind: string): kind is NoticeKind {
  return Object.hasOwn(texts, kind)
}

function fill(text: string, data: StoredNotice['data']): string {
  return text.replaceAll(/\{(\w+)\}/g, (_place, name: string) => {
    const value = Object.hasOwn(data, name) ? data[name] : undefined
    return typeof value === 'string' ? value : ''
  })
}

function sentence({ text, reasons = {} }: NoticeTexts, locale: keyof Localized, reason: unknown): string {
  const first =
    typeof reason === 'string' && Object.hasOwn(reasons, reason) ? reasons[reason]?.[locale] : undefined
  // Chinese sentences follow each other without a space.
  const between = locale === 'en' ? ' ' : ''
  return first === undefined ? text[locale] : `${first}${between}${text[locale]}`
}

/** The words for people, in both languages. A kind without texts is named by itself. */
export function textsOf({ kind, data }: Pick<StoredNotice, 'kind' | 'data'>): {
  readonly title: Localized
  readonly text: Localized
} {
  if (!isNoticeKind(kind)) return { title: { en: kind, 'zh-CN': kind }, text: { en: '', 'zh-CN': '' } }
  const known = texts[kind]
  const body = (locale: keyof Localized) => fill(sentence(known, locale, data['reason']), data)
  return {
    title: { en: fill(known.title.en, data), 'zh-CN': fill(known.title['zh-CN'], data) },
    text: { en: body('en'), 'zh-CN': body('zh-CN') },
  }
}
