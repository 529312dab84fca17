import type { Localized } from '../../capability/index.ts'

/** Every sentence of the consent page that is the platform's own. `{name}` is filled in. */
const texts = {
  title: { en: '{app} asks {merchant} for permission', 'zh-CN': '{app} 请求 {merchant} 的授权' },
  titleChanged: {
    en: '{app} asks {merchant} for other permissions than before',
    'zh-CN': '{app} 请求 {merchant} 变更授权',
  },
  titleInstalled: { en: 'What {app} may do at {merchant}', 'zh-CN': '{app} 在 {merchant} 的权限' },

  madeBy: { en: 'Made by {publisher}, version {version}.', 'zh-CN': '由 {publisher} 开发，版本 {version}。' },
  reviewed: {
    en: 'Reviewed by the staff of this platform on {date}.',
    'zh-CN': '已于 {date} 通过本平台工作人员的审核。',
  },
  notReviewed: {
    en: 'This version has not been reviewed by the staff of this platform.',
    'zh-CN': '此版本未经本平台工作人员审核。',
  },
  youDecide: {
    en: 'You are {person}, and you decide for {merchant}.',
    'zh-CN': '您是 {person}，正在为 {merchant} 作出决定。',
  },
  onlyManagers: {
    en: 'You can read this and refuse. To allow it, ask an owner or manager of {merchant}.',
    'zh-CN': '您可以查看并拒绝。如需允许，请联系 {merchant} 的所有者或经理。',
  },
  appPurpose: { en: 'What the app is for', 'zh-CN': '应用用途' },
  appPurposeUnsaid: { en: 'The developer does not say.', 'zh-CN': '开发者未说明。' },
  responsible: { en: 'Who answers for the data', 'zh-CN': '数据处理者' },
  contact: { en: 'Contact', 'zh-CN': '联系方式' },
  quoted: { en: 'The developer: “{text}”', 'zh-CN': '开发者：“{text}”' },

  changes: { en: 'What is different from before', 'zh-CN': '与之前相比的变化' },
  changesHint: {
    en: 'Until you allow it, the app goes on with what you allowed before. The whole list follows; boxes of what has changed are empty again.',
    'zh-CN': '在您允许之前，应用仍按您之前的授权运行。完整列表见下方；有变更的选项已恢复为未勾选。',
  },
  added: { en: 'New', 'zh-CN': '新增' },
  nowRequired: { en: 'Could be refused, now needed', 'zh-CN': '原为可选，现为必需' },
  restated: { en: 'Changed', 'zh-CN': '有变更' },
  removed: { en: 'No longer asked for', 'zh-CN': '不再请求' },
  removedSentence: {
    en: 'The app does without it from now on: it ends when you allow.',
    'zh-CN': '应用今后不再需要此权限：您允许后即终止。',
  },
  before: { en: '{what}, before', 'zh-CN': '{what}（此前）' },
  now: { en: '{what}, now', 'zh-CN': '{what}（现在）' },
  nothingSaid: { en: 'Nothing was said.', 'zh-CN': '未说明。' },

  required: { en: 'Needed for the app to work', 'zh-CN': '应用运行所必需' },
  optional: { en: 'Your choice', 'zh-CN': '由您选择' },
  optionalHint: {
    en: 'The app works without these. Tick only what you want; you can change it later.',
    'zh-CN': '不授予这些权限应用也能运行。请只勾选您同意的项目，以后可以更改。',
  },
  separate: { en: 'Needs your separate consent', 'zh-CN': '需要您单独同意' },
  separateHint: {
    en: 'This is about personal data of your customers, or gives data to others. “Allow” does not cover it: tick each line you agree to.',
    'zh-CN': '以下内容涉及顾客个人信息，或会将数据提供给他人。“允许”不包含这些内容：请逐项勾选您同意的项目。',
  },
  separateChoice: { en: 'I agree separately: {title}', 'zh-CN': '我单独同意：{title}' },
  isRequired: { en: 'Needed', 'zh-CN': '必需' },
  isOptional: { en: 'Your choice', 'zh-CN': '可选' },
  bounds: { en: 'Only within these limits', 'zh-CN': '仅限以下范围' },
  nothingAsked: { en: 'It asks for no data of yours.', 'zh-CN': '它不需要您的任何数据。' },

  basic: { en: 'No personal data', 'zh-CN': '不含个人信息' },
  protected: { en: 'Business data', 'zh-CN': '经营数据' },
  private: { en: 'Personal data of your customers', 'zh-CN': '顾客个人信息' },
  read: { en: 'Reads', 'zh-CN': '读取' },
  write: { en: 'Changes', 'zh-CN': '更改' },
  readOnly: { en: 'It reads them and changes nothing.', 'zh-CN': '仅读取，不做更改。' },
  readWrite: { en: 'It changes them.', 'zh-CN': '会进行更改。' },

  purpose: { en: 'What for', 'zh-CN': '用途' },
  justification: { en: 'Why less is not enough', 'zh-CN': '为何必须使用' },
  without: { en: 'Without it', 'zh-CN': '不授予时' },
  recipients: { en: 'Who gets it', 'zh-CN': '接收方' },
  retention: { en: 'How long it is kept', 'zh-CN': '保存期限' },
  publisherIn: { en: '{publisher}, {country}', 'zh-CN': '{publisher}（{country}）' },
  publisherSomewhere: {
    en: '{publisher}, which does not say in which country',
    'zh-CN': '{publisher}（未说明所在国家或地区）',
  },
  staysHere: {
    en: 'Nobody outside: the app runs inside this platform and can send nothing out.',
    'zh-CN': '无外部接收方：应用在本平台内运行，不能向外发送数据。',
  },
  goesToHosts: {
    en: 'The app runs inside this platform and may send data to {hosts}.',
    'zh-CN': '应用在本平台内运行，可能将数据发送至 {hosts}。',
  },
  othersUnsaid: {
    en: 'The developer does not say whether anybody else gets it.',
    'zh-CN': '开发者未说明是否提供给其他人。',
  },
  nobodyElse: { en: 'Nobody else, says the developer.', 'zh-CN': '开发者声明不提供给其他人。' },
  entrusted: {
    en: '{name}, {country}, on the publisher’s orders alone',
    'zh-CN': '{name}（{country}），仅按开发者的委托处理',
  },
  independent: {
    en: '{name}, {country}, for purposes of its own',
    'zh-CN': '{name}（{country}），用于其自身目的',
  },
  recipientPurpose: { en: '{recipient}: “{purpose}”', 'zh-CN': '{recipient}：“{purpose}”' },
  retentionUnsaid: { en: 'The developer does not say.', 'zh-CN': '开发者未说明。' },
  notKept: {
    en: 'Not at all: used at once, says the developer.',
    'zh-CN': '不保存，用后即弃（开发者声明）。',
  },
  keptOneDay: { en: '1 day, says the developer.', 'zh-CN': '1 天（开发者声明）。' },
  keptDays: { en: '{days} days, says the developer.', 'zh-CN': '{days} 天（开发者声明）。' },

  details: { en: 'Which data, and when', 'zh-CN': '涉及哪些数据、何时使用' },
  data: { en: 'Data', 'zh-CN': '数据' },
  access: { en: 'Reads or changes', 'zh-CN': '读取或更改' },
  when: { en: 'When', 'zh-CN': '何时' },
  anyTime: { en: 'Whenever the app asks, until you withdraw it.', 'zh-CN': '应用可随时使用，直到您撤回。' },
  atOnce: { en: 'At once, when: {event}', 'zh-CN': '以下情况发生时立即获知：{event}' },
  orders: { en: 'Orders', 'zh-CN': '订单' },
  customers: { en: 'Customers', 'zh-CN': '顾客' },
  products: { en: 'Products', 'zh-CN': '商品' },
  settings: { en: 'Settings', 'zh-CN': '设置' },
  'app-data': { en: 'The app’s own data', 'zh-CN': '应用自身的数据' },

  outcome: { en: 'What happens', 'zh-CN': '您的选择意味着什么' },
  ifAllow: { en: 'If you allow', 'zh-CN': '如果允许' },
  ifAllowText: {
    en: 'The app is installed for the whole merchant, not only for you, and may use the above until you withdraw it.',
    'zh-CN': '应用将为整个商家（而不仅是您个人）安装，并可使用上述权限，直到您撤回。',
  },
  ifAllowAgain: {
    en: 'The list above takes the place of what you allowed before.',
    'zh-CN': '上述列表将取代您之前的授权。',
  },
  ifRefuse: { en: 'If you do not allow', 'zh-CN': '如果不允许' },
  ifRefuseText: {
    en: 'Nothing is installed and nothing is shared.',
    'zh-CN': '不会安装任何内容，也不会共享任何数据。',
  },
  ifRefuseAgain: {
    en: 'The app goes on with what you allowed before, and gets nothing more.',
    'zh-CN': '应用仍按您之前的授权运行，不会获得更多权限。',
  },
  refusalKept: {
    en: 'Your answer counts: for {hours} hours the app cannot bring you back to this question unless you want to see it.',
    'zh-CN': '您的选择会被记住：{hours} 小时内，除非您主动查看，应用不能再次向您提出此请求。',
  },
  ifWithdraw: { en: 'If you withdraw it later', 'zh-CN': '如果以后撤回' },
  ifWithdrawText: {
    en: 'You can withdraw it at any time on the app’s page under Market, without a reason; it takes effect within 5 seconds. What was done before stays valid, and what the app has received by then stays with whoever got it: ask them to delete it.',
    'zh-CN':
      '您可以随时在应用市场的应用页面撤回授权，无需说明理由，5 秒内生效。撤回不影响此前处理的效力；此前已提供的数据仍由接收方持有，您可以要求其删除。',
  },
  privacyPolicy: { en: 'Privacy policy of {publisher}', 'zh-CN': '{publisher} 的隐私政策' },
  appPage: { en: 'The app’s page, where you withdraw', 'zh-CN': '应用页面（可在此撤回授权）' },
  market: {
    en: 'The market, where you find the app later and withdraw',
    'zh-CN': '应用市场（以后可在此找到应用并撤回授权）',
  },
  accessHistory: { en: 'Access history: who has used this merchant’s data', 'zh-CN': '数据访问记录' },
  allow: { en: 'Allow', 'zh-CN': '允许' },
  doNotAllow: { en: 'Do not allow', 'zh-CN': '不允许' },
} as const satisfies Readonly<Record<string, Localized>>

export type ConsentTextKey = keyof typeof texts

type Values = Readonly<Record<string, string | Localized>>

/** The sentence in both languages, filled in. */
export function say(key: ConsentTextKey, values: Values = {}): Localized {
  const fill = (language: keyof Localized) =>
    texts[key][language].replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      if (value === undefined) return whole
      return typeof value === 'string' ? value : value[language]
    })
  return { en: fill('en'), 'zh-CN': fill('zh-CN') }
}

const regions = {
  en: new Intl.DisplayNames('en', { type: 'region' }),
  'zh-CN': new Intl.DisplayNames('zh-CN', { type: 'region' }),
} as const

/** The name of a country (ISO 3166-1 alpha-2); the two letters themselves where they stand for none. */
export function countryName(code: string): Localized {
  return { en: regions.en.of(code) ?? code, 'zh-CN': regions['zh-CN'].of(code) ?? code }
}

const dates = {
  en: new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }),
  'zh-CN': new Intl.DateTimeFormat('zh-CN', { dateStyle: 'long', timeZone: 'UTC' }),
} as const

export function dayOf(ms: number): Localized {
  return { en: dates.en.format(ms), 'zh-CN': dates['zh-CN'].format(ms) }
}
