import type { Localized } from '../capability/index.ts'

/** What a notice about an endpoint tells: names, no secrets; of the URL only its host. */
export interface EndpointNotice {
  readonly appId: string
  readonly appName: string
  readonly endpointId: string
  readonly host: string
  readonly reason: string
}

/** What a notice about a refresh token that came twice tells. */
export interface ReuseNotice {
  readonly appId: string
  readonly appName: string
  readonly merchantId: string
  readonly merchantName: string
  readonly installationId: string
  readonly authorizationId: string
}

/** What a notice about a secret or token that was found in the open tells: which one, by its last characters. */
export interface LeakNotice {
  /** client_secret, access_token, refresh_token, personal_token, session or invitation */
  readonly what: string
  readonly hint: string
  /** Of a personal token: the name its person gave it; of an invitation who was invited; else the app's. */
  readonly name: string
  /** Null for what is no app's. */
  readonly appId: string | null
}

/** The kinds of notices, and what the row of each holds. */
export interface NoticeData {
  readonly 'endpoint.paused': EndpointNotice
  readonly 'endpoint.resumed': EndpointNotice
  readonly 'endpoint.stopped': EndpointNotice
  readonly 'refresh_token.reused': ReuseNotice
  readonly 'app_access.ended': ReuseNotice
  readonly 'secret.leaked': LeakNotice
  readonly 'token.leaked': LeakNotice
  readonly 'personal_token.leaked': LeakNotice
  readonly 'session.leaked': LeakNotice
  readonly 'invitation.leaked': LeakNotice
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
  'refresh_token.reused': {
    title: {
      en: 'A refresh token of {appName} was used twice',
      'zh-CN': '{appName} 的刷新令牌被重复使用',
    },
    text: {
      en: 'At {merchantName} an old refresh token came after its successor had been used: somebody may have a copy. All tokens of this authorization have ended; the installation has not. Find out where the token was kept, and let {merchantName} connect again.',
      'zh-CN':
        '在 {merchantName} 处，旧的刷新令牌在其后继令牌使用之后再次出现，说明可能有人持有副本。该授权的所有令牌均已失效，但应用仍处于安装状态。请查明令牌的存放位置，并让 {merchantName} 重新连接。',
    },
  },
  'app_access.ended': {
    title: { en: '{appName} was signed out for safety', 'zh-CN': '出于安全考虑，已终止 {appName} 的登录' },
    text: {
      en: 'Somebody used an old key of {appName}, made by its developer for {merchantName}. One connection of the app has ended; it is still installed. You need not do anything: the developer has been told, and the app may ask you to connect it again.',
      'zh-CN':
        '有人使用了 {appName} 为 {merchantName} 保存的旧密钥。该应用的一个连接已被终止，应用仍处于安装状态。您无需采取任何操作：开发者已收到通知，应用可能会请您重新连接。',
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
  'secret.leaked': {
    title: {
      en: 'A client secret of “{name}” was found in the open',
      'zh-CN': '“{name}”的一个客户端密钥已泄露',
    },
    text: {
      en: 'Somebody reported the secret ending in {hint}, and it was ended at once. If your servers used it, make a new one and deploy it; then look at what was done with the old one.',
      'zh-CN':
        '有人报告了以 {hint} 结尾的密钥，平台已立即将其作废。如果您的服务器仍在使用它，请新建一个密钥并部署，然后核查旧密钥的使用情况。',
    },
  },
  'token.leaked': {
    title: { en: 'A token of “{name}” was found in the open', 'zh-CN': '“{name}”的一个令牌已泄露' },
    text: {
      en: 'Somebody reported the token ending in {hint}. Nobody can use it any more.',
      'zh-CN': '有人报告了以 {hint} 结尾的令牌，该令牌现已无法使用。',
    },
    reasons: {
      access_token: {
        en: 'It was an access token; the app goes on with its next one.',
        'zh-CN': '这是一个访问令牌，应用可凭下一个令牌继续工作。',
      },
      refresh_token: {
        en: 'It was a refresh token, so the whole connection was ended; the app has to be connected again.',
        'zh-CN': '这是一个刷新令牌，因此整个授权连接已终止，应用需要重新连接。',
      },
    },
  },
  'personal_token.leaked': {
    title: { en: 'Your token “{name}” was found in the open', 'zh-CN': '您的令牌“{name}”已泄露' },
    text: {
      en: 'Somebody reported the token ending in {hint}, and it was ended at once. Make a new one where you need it, and look at what was done with the old one.',
      'zh-CN':
        '有人报告了以 {hint} 结尾的令牌，平台已立即将其作废。如仍需要，请新建一个令牌，并核查旧令牌的使用情况。',
    },
  },
  'session.leaked': {
    title: { en: 'One of your sign-ins was found in the open', 'zh-CN': '您的一次登录会话已泄露' },
    text: {
      en: 'Somebody reported the cookie ending in {hint}, and its sign-in was ended at once. Change your password if you do not know how it got out, and look at what was done meanwhile.',
      'zh-CN':
        '有人报告了以 {hint} 结尾的登录凭据，平台已立即结束该会话。如果不清楚泄露原因，请修改密码，并核查期间的操作。',
    },
  },
  'invitation.leaked': {
    title: { en: 'Your invitation of {name} was found in the open', 'zh-CN': '您发给 {name} 的邀请已泄露' },
    text: {
      en: 'Somebody reported the link ending in {hint}, and it no longer works. Nobody has used it; invite them anew.',
      'zh-CN': '有人报告了以 {hint} 结尾的邀请链接，该链接已失效，且未被使用。请重新发送邀请。',
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
  const body = (locale: keyof Localized) =>
    fill(sentence(known, locale, data['reason'] ?? data['what']), data)
  return {
    title: { en: fill(known.title.en, data), 'zh-CN': fill(known.title['zh-CN'], data) },
    text: { en: body('en'), 'zh-CN': body('zh-CN') },
  }
}
