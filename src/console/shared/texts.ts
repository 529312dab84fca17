import { parseTime } from '../../kernel/index.ts'
import type { Locale } from '../page.ts'
import { accountTexts } from './account-texts.ts'

export interface Text {
  readonly en: string
  readonly 'zh-CN': string
}

/** Every visible sentence, in both languages. `{name}` is filled in. */
const texts = {
  ...accountTexts,
  productName: { en: 'Stoa', 'zh-CN': 'Stoa' },
  signIn: { en: 'Sign in', 'zh-CN': '登录' },
  signOut: { en: 'Sign out', 'zh-CN': '退出登录' },
  signedInAs: { en: 'Signed in as {name}', 'zh-CN': '当前用户：{name}' },
  email: { en: 'Email', 'zh-CN': '邮箱' },
  password: { en: 'Password', 'zh-CN': '密码' },
  signInFailed: {
    en: 'Email or password is wrong. After many tries, wait 15 minutes and try again.',
    'zh-CN': '邮箱或密码不正确。多次尝试后请等待 15 分钟再试。',
  },
  signInForApp: { en: 'Sign in to decide about this app', 'zh-CN': '登录后即可决定是否授权该应用' },
  homeTitle: { en: 'Welcome to this platform', 'zh-CN': '欢迎使用本平台' },
  homeMerchant: {
    en: 'You run a shop: see which apps there are and what each may do.',
    'zh-CN': '您是商家：查看有哪些应用，以及每个应用可以做什么。',
  },
  homeDeveloper: {
    en: 'You write apps: register, upload and submit through the API described at /openapi.json.',
    'zh-CN': '您是开发者：通过 /openapi.json 描述的接口注册、上传并提交应用。',
  },
  homeReviewer: {
    en: 'You review apps: the queue and decisions are under /review/v1.',
    'zh-CN': '您是审核员：审核队列和审核决定位于 /review/v1。',
  },
  invitationTitle: { en: 'You are invited to {name}', 'zh-CN': '邀请您加入 {name}' },
  invitationRole: { en: 'You will be a member with the role {role}.', 'zh-CN': '您将以 {role} 身份加入。' },
  invitationAccount: {
    en: 'Choose a password for your new account {email}.',
    'zh-CN': '请为您的新账号 {email} 设置密码。',
  },
  invitationHaveAccount: { en: 'I have an account already', 'zh-CN': '我已有账号' },
  invitationAccept: { en: 'Accept', 'zh-CN': '接受邀请' },
  displayName: { en: 'Your name', 'zh-CN': '您的姓名' },
  newPassword: { en: 'New password', 'zh-CN': '新密码' },
  newPasswordHint: {
    en: 'At least 12 characters; any characters. A few words in a row are good.',
    'zh-CN': '至少 12 个字符，可使用任意字符。连续几个词语就很好。',
  },
  market: { en: 'Market', 'zh-CN': '应用市场' },
  marketFor: { en: 'Apps for {merchant}', 'zh-CN': '{merchant} 可用的应用' },
  marketEmpty: { en: 'No app has been released yet.', 'zh-CN': '目前还没有已发布的应用。' },
  noMerchant: {
    en: 'You are not a member of any merchant. Ask the owner of a shop to invite you.',
    'zh-CN': '您还不是任何商家的成员。请联系店铺所有者邀请您。',
  },
  chooseMerchant: { en: 'Choose the merchant', 'zh-CN': '请选择商家' },
  chooseMerchantHint: {
    en: 'The app will be installed at this merchant.',
    'zh-CN': '应用将安装到所选商家。',
  },
  continueAction: { en: 'Continue', 'zh-CN': '继续' },
  by: { en: 'by {publisher}', 'zh-CN': '开发者：{publisher}' },
  look: { en: 'See what it asks for', 'zh-CN': '查看所需权限' },
  allow: { en: 'Allow', 'zh-CN': '允许' },
  doNotAllow: { en: 'Do not allow', 'zh-CN': '不允许' },
  separateMissing: {
    en: 'Nothing has been decided yet. The app needs a permission that you agree to separately: tick it below, or choose “Do not allow”.',
    'zh-CN': '尚未作出任何决定。应用需要一项须单独同意的权限：请在下方勾选，或选择“不允许”。',
  },
  refusedTitle: { en: 'You did not allow {app}', 'zh-CN': '您未允许 {app}' },
  refusedHint: {
    en: 'On {at} you decided not to allow it for {merchant}. That stands, and nothing has been shared because of this request. The app has asked again.',
    'zh-CN':
      '您已于 {at} 决定不为 {merchant} 授权。该决定仍然有效，此次请求未导致任何数据共享。应用再次提出了请求。',
  },
  refusedBack: { en: 'Back to the app', 'zh-CN': '返回应用' },
  refusedAgain: { en: 'Look at the request again', 'zh-CN': '重新查看请求' },
  consentMaker: { en: 'Made by {publisher}.', 'zh-CN': '由 {publisher} 开发。' },
  appSignInTitle: { en: 'Sign in to {app}', 'zh-CN': '登录 {app}' },
  appSignInWhat: {
    en: '{app} will know that you, {name}, use it at {merchant}, and may do there what {merchant} has agreed to. It learns neither your email address nor your password.',
    'zh-CN':
      '{app} 将得知您（{name}）正在 {merchant} 使用它，并可在 {merchant} 已同意的权限范围内操作。它不会获知您的邮箱地址或密码。',
  },
  appSignInEnd: {
    en: 'This ends when you sign out here or leave the merchant.',
    'zh-CN': '您在此退出登录或离开该商家后，此登录即失效。',
  },
  deviceTitle: { en: 'Connect a device', 'zh-CN': '连接设备' },
  deviceEnter: {
    en: 'Type the code that your device or command line shows.',
    'zh-CN': '请输入您的设备或命令行显示的代码。',
  },
  deviceCode: { en: 'Code', 'zh-CN': '代码' },
  deviceWarning: {
    en: 'Only type a code that a device in front of you shows. Whoever sends you one by mail, chat or phone wants to act in your name.',
    'zh-CN': '请只输入您面前的设备所显示的代码。通过邮件、聊天或电话向您发送代码的人，是想以您的名义操作。',
  },
  deviceWrong: {
    en: 'No device waits for this code. It may be mistyped, used or older than 10 minutes.',
    'zh-CN': '没有设备在等待此代码。代码可能输入有误、已被使用或已超过 10 分钟。',
  },
  deviceTooMany: {
    en: 'Too many wrong codes. Wait 15 minutes and start again on the device.',
    'zh-CN': '错误代码次数过多。请等待 15 分钟后在设备上重新开始。',
  },
  deviceConfirmTitle: { en: 'Is this your device?', 'zh-CN': '这是您的设备吗？' },
  deviceCompare: {
    en: 'Compare: your device must show exactly this code.',
    'zh-CN': '请核对：您的设备必须显示完全相同的代码。',
  },
  deviceOrigin: {
    en: 'Asked for at {time} from the network address {address} by {program}.',
    'zh-CN': '请求时间 {time}，网络地址 {address}，程序 {program}。',
  },
  deviceUnknownProgram: { en: 'a program that does not say what it is', 'zh-CN': '未说明身份的程序' },
  deviceApp: { en: '{app}, made by {publisher}, asks.', 'zh-CN': '请求方：{app}，由 {publisher} 开发。' },
  deviceCli: {
    en: 'The command line of this platform asks to act as you:',
    'zh-CN': '本平台的命令行工具请求以您的身份操作：',
  },
  deviceCliEnd: {
    en: 'If you allow: it gets a personal token for 90 days, which you can end at any time.',
    'zh-CN': '如果允许：它将获得有效期 90 天的个人令牌，您可以随时终止。',
  },
  deviceDoneTitle: { en: 'Done', 'zh-CN': '完成' },
  deviceAllowed: {
    en: 'The device goes on by itself within seconds. You can close this page.',
    'zh-CN': '设备将在几秒内自动继续。您可以关闭此页面。',
  },
  deviceDenied: {
    en: 'Nothing was given to the device. You can close this page.',
    'zh-CN': '未向该设备授予任何权限。您可以关闭此页面。',
  },
  appInstalledAt: { en: '{app} is installed at {merchant}', 'zh-CN': '{app} 已安装到 {merchant}' },
  appMay: { en: 'It may:', 'zh-CN': '它可以：' },
  appMayNothing: { en: 'It may use no data of yours.', 'zh-CN': '它不能使用您的任何数据。' },
  changePermissions: { en: 'Change what it may do', 'zh-CN': '更改权限' },
  uninstall: { en: 'Uninstall', 'zh-CN': '卸载' },
  uninstallHint: {
    en: 'Ends its permissions at once and deletes what it stored here.',
    'zh-CN': '立即终止其权限，并删除它在此存储的数据。',
  },
  accessTitle: { en: 'Who has used the data of {merchant}', 'zh-CN': '{merchant} 的数据访问记录' },
  accessHint: {
    en: 'Each line is one use of this merchant’s data, newest first. Lines about personal data of customers are marked.',
    'zh-CN': '每一行是对该商家数据的一次使用，最新的在前。涉及顾客个人信息的行有标记。',
  },
  accessEmpty: { en: 'Nothing has been read or changed yet.', 'zh-CN': '目前还没有任何访问记录。' },
  accessPersonal: { en: 'Personal data', 'zh-CN': '个人信息' },
  accessOk: { en: '{rows} records', 'zh-CN': '{rows} 条记录' },
  accessDenied: { en: 'refused ({code})', 'zh-CN': '被拒绝（{code}）' },
  accessFailed: { en: 'failed ({code})', 'zh-CN': '失败（{code}）' },
  accessPerson: { en: 'a member of this merchant', 'zh-CN': '该商家的成员' },
  accessHost: { en: 'the host’s own systems', 'zh-CN': '平台方业务系统' },
  accessOlder: { en: 'Older ones', 'zh-CN': '更早的记录' },
  errorsTitle: { en: 'Error codes', 'zh-CN': '错误代码' },
  errorsHint: {
    en: 'A code never changes its meaning. Programs branch on it; people read the rest.',
    'zh-CN': '错误代码的含义不会改变。程序依据代码判断，说明文字供人阅读（英文）。',
  },
  eventsTitle: { en: 'Event types', 'zh-CN': '事件类型' },
  eventsHint: {
    en: 'What happens at a merchant reaches every installed app that asked for it in its manifest and holds the scope. The same is machine-readable at /asyncapi.json.',
    'zh-CN':
      '商家处发生的事件会送达每个已安装、在清单中订阅并拥有相应权限的应用。机器可读的版本位于 /asyncapi.json。',
  },
  eventsScope: { en: 'Needs {scope} ({title}).', 'zh-CN': '需要 {scope}（{title}）。' },
  eventsNoScope: { en: 'Needs no scope.', 'zh-CN': '无需任何权限。' },
  eventsField: {
    en: '{field} is left out without {scope} ({title}).',
    'zh-CN': '没有 {scope}（{title}）时，不包含 {field}。',
  },
  eventsByHost: { en: 'Published by the host', 'zh-CN': '由平台方业务系统发布' },
  eventsByPlatform: {
    en: 'Published by the platform, to the installation it is about',
    'zh-CN': '由平台发布，仅发送给相关的安装',
  },
  eventsSubject: { en: 'Its subject:', 'zh-CN': 'subject 的含义（英文）：' },
  eventsSchema: { en: 'Schema of data, version {version}', 'zh-CN': 'data 的结构定义，版本 {version}' },
  eventsExample: { en: 'Example of a body, with every scope', 'zh-CN': '拥有全部权限时的消息体示例' },
  homeEvents: {
    en: 'What your app can be told: every event type with an example.',
    'zh-CN': '您的应用可以收到哪些事件：每种类型均附示例。',
  },
  errorTitle: { en: 'This did not work', 'zh-CN': '操作未成功' },
  errorCode: { en: 'Code {code}, request {request}', 'zh-CN': '代码 {code}，请求 {request}' },
  errorBack: { en: 'Back to the start', 'zh-CN': '返回首页' },
  interactionGone: {
    en: 'This request has expired or was answered already. Go back to the app and start again.',
    'zh-CN': '该请求已过期或已被处理。请返回应用重新开始。',
  },
  requestFooter: { en: 'Request {request}', 'zh-CN': '请求编号 {request}' },
  otherLanguage: { en: '简体中文', 'zh-CN': 'English' },
} as const satisfies Readonly<Record<string, Text>>

export type TextKey = keyof typeof texts

/** The sentence in the page's language. */
export function text(locale: Locale, key: TextKey, values: Readonly<Record<string, string>> = {}): string {
  return texts[key][locale].replaceAll(/\{(\w+)\}/g, (_match, name: string) => values[name] ?? '')
}

const moments = {
  en: new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
  'zh-CN': new Intl.DateTimeFormat('zh-CN', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
} as const

/** A time of the wire (RFC 3339) as people write it. */
export function moment(locale: Locale, time: string): string {
  return `${moments[locale].format(parseTime(time) ?? 0)} UTC`
}
