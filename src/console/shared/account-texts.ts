import type { Text } from './texts.ts'

const signingIn = {
  signInExpired: {
    en: 'This page was open for too long, or its step was used already. Please sign in again.',
    'zh-CN': '页面停留时间过长，或该步骤已被使用。请重新登录。',
  },
  passkeySignIn: { en: 'Sign in with a passkey', 'zh-CN': '使用通行密钥登录' },
  passkeyNone: {
    en: 'No passkey was used. Try again, or sign in with your password.',
    'zh-CN': '未使用通行密钥。请重试，或使用密码登录。',
  },
  passkeyRefused: {
    en: 'This passkey is not known here. Sign in with your password, or use another passkey.',
    'zh-CN': '此处无法识别该通行密钥。请使用密码登录，或换用其他通行密钥。',
  },
  secondFactorTitle: { en: 'One more step', 'zh-CN': '还差一步' },
  secondFactorCode: { en: 'Code from your authenticator app', 'zh-CN': '身份验证器应用中的验证码' },
  secondFactorHint: {
    en: 'Six digits that change every 30 seconds. Have you lost the device? Type one of your recovery codes instead.',
    'zh-CN': '六位数字，每 30 秒更新一次。如果设备丢失，请改为输入一个恢复码。',
  },
  secondFactorFailed: {
    en: 'This code is wrong or was used already. Wait for the next one. After many tries, wait 15 minutes.',
    'zh-CN': '验证码不正确或已被使用。请等待下一个验证码。多次尝试后请等待 15 分钟。',
  },
  providerSignIn: { en: 'Sign in with {name}', 'zh-CN': '使用 {name} 登录' },
  providerFailed: {
    en: 'The sign-in there did not come to an end. Try again, or sign in another way.',
    'zh-CN': '该方式的登录未能完成。请重试，或使用其他方式登录。',
  },
  providerContinueHint: {
    en: 'You go on at {name} and come back here afterwards.',
    'zh-CN': '您将前往 {name} 继续，完成后会回到这里。',
  },
  providerAddressTaken: {
    en: 'Your email address has an account here already',
    'zh-CN': '您的邮箱地址在此已有账号',
  },
  providerAddressTakenHint: {
    en: 'If it is yours, sign in to it in the usual way and connect {name} on your account’s page. From then on both lead to it.',
    'zh-CN': '如果是您的账号，请按平常的方式登录，并在账号页面关联 {name}。此后两种方式都会进入该账号。',
  },
  providerUseExisting: { en: 'Sign in to that account', 'zh-CN': '登录该账号' },
  providerNewHint: {
    en: 'If it is not yours, go on with an account of your own, without an email address.',
    'zh-CN': '如果不是您的账号，可以继续使用一个不带邮箱地址的新账号。',
  },
  providerNew: { en: 'Go on with a new account', 'zh-CN': '使用新账号继续' },
} as const satisfies Readonly<Record<string, Text>>

const account = {
  account: { en: 'Your account', 'zh-CN': '您的账号' },
  accountBack: { en: 'Back to your account', 'zh-CN': '返回账号页面' },
  accountProfile: { en: 'Name and language', 'zh-CN': '姓名与语言' },
  accountEmail: { en: 'You sign in as {email}.', 'zh-CN': '您的登录邮箱：{email}。' },
  accountLanguage: { en: 'Language of pages and mail', 'zh-CN': '页面和邮件的语言' },
  save: { en: 'Save', 'zh-CN': '保存' },
  remove: { en: 'Remove', 'zh-CN': '移除' },
  addedOn: { en: 'Added', 'zh-CN': '添加于' },
  lastUsed: { en: 'last used', 'zh-CN': '最近使用于' },
  neverUsed: { en: 'never used', 'zh-CN': '尚未使用' },
  ownPassword: { en: 'Your current password', 'zh-CN': '您的当前密码' },
  noPasswordHint: {
    en: 'You have no password, so this works for 15 minutes after signing in.',
    'zh-CN': '您没有设置密码，因此此操作须在登录后 15 分钟内进行。',
  },
  passwordChangeHint: {
    en: 'Your other browsers are signed out when it changes. Personal tokens stay.',
    'zh-CN': '修改密码后，您在其他浏览器中的登录将失效。个人令牌不受影响。',
  },
  passwordFirstHint: {
    en: 'You sign in without a password. You can choose one as a further way in.',
    'zh-CN': '您目前无需密码登录。可以设置密码，作为另一种登录方式。',
  },
  passwordChange: { en: 'Change the password', 'zh-CN': '修改密码' },
  passwordChoose: { en: 'Choose a password', 'zh-CN': '设置密码' },
  passwordTooCommon: {
    en: 'This password is one of the first that anybody would try. Choose another one.',
    'zh-CN': '该密码极易被猜到。请换一个密码。',
  },
  secondFactor: { en: 'Second factor', 'zh-CN': '两步验证' },
  secondFactorOffer: {
    en: 'A code from an app on your phone, asked for after the password. Whoever learns your password alone cannot sign in.',
    'zh-CN': '输入密码后，还需输入手机应用中的验证码。仅知道密码的人无法登录。',
  },
  secondFactorSetUp: { en: 'Set up a second factor', 'zh-CN': '设置两步验证' },
  secondFactorOn: { en: 'On since', 'zh-CN': '已启用，开始于' },
  secondFactorRemove: { en: 'Turn off the second factor', 'zh-CN': '关闭两步验证' },
  secondFactorRemoveHint: {
    en: 'From then on your password alone is enough. The recovery codes end as well.',
    'zh-CN': '关闭后仅凭密码即可登录，恢复码也会一并失效。',
  },
  secondFactorScan: {
    en: 'Scan this with an authenticator app.',
    'zh-CN': '请用身份验证器应用扫描此二维码。',
  },
  secondFactorQr: { en: 'QR code with the key', 'zh-CN': '包含密钥的二维码' },
  secondFactorType: {
    en: 'Or type this key into the app (time-based, six digits):',
    'zh-CN': '或在应用中手动输入此密钥（基于时间，六位数字）：',
  },
  secondFactorFirst: { en: 'The code that the app shows now', 'zh-CN': '应用当前显示的验证码' },
  secondFactorTurnOn: { en: 'Turn on', 'zh-CN': '启用' },
  secondFactorExists: { en: 'You have a second factor already.', 'zh-CN': '您已启用两步验证。' },
  recoveryCodes: { en: 'Your recovery codes', 'zh-CN': '您的恢复码' },
  recoveryCodesHint: {
    en: 'Write them down or print them: they are shown only now. Each one works once, for the day your device is lost.',
    'zh-CN': '请抄写或打印保存：仅此一次显示。每个恢复码只能使用一次，供设备丢失时使用。',
  },
  recoveryCodesKept: { en: 'I have kept them', 'zh-CN': '我已妥善保存' },
  recoveryCodesLeft: { en: 'Recovery codes left: {left}.', 'zh-CN': '剩余恢复码：{left} 个。' },
  recoveryCodesNew: { en: 'New recovery codes', 'zh-CN': '重新生成恢复码' },
  recoveryCodesNewHint: { en: 'The old ones stop working.', 'zh-CN': '原有的恢复码将失效。' },
  passkeys: { en: 'Passkeys', 'zh-CN': '通行密钥' },
  passkeyOffer: {
    en: 'Sign in with your fingerprint, face or PIN instead of a password. A passkey stays on your device and works only here.',
    'zh-CN': '用指纹、面容或 PIN 码代替密码登录。通行密钥保存在您的设备上，只在此处有效。',
  },
  passkeyName: { en: 'Name of the device', 'zh-CN': '设备名称' },
  passkeyAdd: { en: 'Make a passkey', 'zh-CN': '创建通行密钥' },
  passkeyAddHint: {
    en: 'Your browser asks you to unlock the device.',
    'zh-CN': '浏览器会请您解锁设备。',
  },
  passkeyNeedsScript: {
    en: 'This one step needs JavaScript and a browser that knows passkeys.',
    'zh-CN': '此步骤需要启用 JavaScript，并使用支持通行密钥的浏览器。',
  },
  passkeyNotMade: {
    en: 'No passkey was made. Try again, perhaps with another device.',
    'zh-CN': '未创建通行密钥。请重试，或换一台设备。',
  },
  passkeyExists: { en: 'This passkey is registered already.', 'zh-CN': '该通行密钥已注册。' },
  passkeyRemove: { en: 'Remove this passkey', 'zh-CN': '移除此通行密钥' },
  passkeysImpossible: {
    en: 'Passkeys need a host name; this platform is reached by an IP address.',
    'zh-CN': '通行密钥需要域名；当前平台通过 IP 地址访问。',
  },
  tooManyPasskeys: {
    en: 'You have as many passkeys as one person may have. Remove one first.',
    'zh-CN': '您的通行密钥数量已达上限。请先移除一个。',
  },
  providerTitle: { en: 'Sign-in by another service', 'zh-CN': '通过其他服务登录' },
  providerConnect: { en: 'Connect {name}', 'zh-CN': '关联 {name}' },
  providerConnectHint: {
    en: 'From then on you can sign in here with your account at {name} as well.',
    'zh-CN': '关联后，您也可以使用 {name} 的账号登录。',
  },
  providerAccountTaken: {
    en: 'That account leads to another person here. Sign in with it and disconnect it there first.',
    'zh-CN': '该账号已关联到此处的另一位用户。请先用它登录，并在那里解除关联。',
  },
  disconnect: { en: 'Disconnect', 'zh-CN': '解除关联' },
  sessions: { en: 'Where you are signed in', 'zh-CN': '已登录的设备' },
  sessionsHint: {
    en: 'Do you not know one of them? Sign it out and change your password.',
    'zh-CN': '如有不认识的设备，请将其退出登录并修改密码。',
  },
  sessionCurrent: { en: 'this browser', 'zh-CN': '当前浏览器' },
  sessionSince: { en: 'Signed in', 'zh-CN': '登录于' },
  sessionEnd: { en: 'Sign it out', 'zh-CN': '退出该设备' },
  sessionsEndOthers: { en: 'Sign all others out', 'zh-CN': '退出所有其他设备' },
  deviceBoth: { en: '{browser} on {system}', 'zh-CN': '{system} 上的 {browser}' },
  deviceUnknown: { en: 'A program that does not say its name', 'zh-CN': '未标明名称的程序' },
  tokens: { en: 'Personal tokens', 'zh-CN': '个人令牌' },
  tokensHint: {
    en: 'Keys for your own programs. Each may do what you may, in the parts it was made for.',
    'zh-CN': '供您自己的程序使用的密钥。每个令牌可在其指定范围内执行您有权进行的操作。',
  },
  tokenNew: { en: 'New personal token', 'zh-CN': '新建个人令牌' },
  tokenName: { en: 'What it is for', 'zh-CN': '用途' },
  tokenAudiences: { en: 'It may be used for', 'zh-CN': '适用范围' },
  tokenUntil: { en: 'Valid until', 'zh-CN': '有效期至' },
  tokenRevoke: { en: 'Revoke', 'zh-CN': '撤销' },
  tokenShown: {
    en: 'Copy it now: it is shown only this once. Treat it like your password.',
    'zh-CN': '请立即复制：仅此一次显示。请像保管密码一样保管它。',
  },
  audienceAccount: { en: 'your account', 'zh-CN': '您的账号' },
  audienceDeveloper: { en: 'developing apps', 'zh-CN': '开发应用' },
  audienceMerchant: { en: 'your shops', 'zh-CN': '您的店铺' },
  audienceReviewer: { en: 'reviewing apps', 'zh-CN': '审核应用' },
} as const satisfies Readonly<Record<string, Text>>

const outcomes = {
  doneProfile: { en: 'Saved.', 'zh-CN': '已保存。' },
  donePassword: {
    en: 'Your password has changed; your other browsers are signed out.',
    'zh-CN': '密码已修改；其他浏览器已退出登录。',
  },
  doneSecondFactor: { en: 'Your second factor has changed.', 'zh-CN': '两步验证设置已更新。' },
  donePasskey: { en: 'The passkey is ready to sign in with.', 'zh-CN': '通行密钥已可用于登录。' },
  donePasskeyRemoved: {
    en: 'The passkey does not work here any more.',
    'zh-CN': '该通行密钥已不再有效。',
  },
  doneProvider: { en: 'Connected.', 'zh-CN': '已关联。' },
  doneProviderRemoved: { en: 'Disconnected.', 'zh-CN': '已解除关联。' },
  doneSession: { en: 'Signed out there.', 'zh-CN': '已退出。' },
  doneToken: { en: 'The token does not work any more.', 'zh-CN': '该令牌已失效。' },
  ownPasswordWrong: {
    en: 'Your current password is wrong. Nothing was changed.',
    'zh-CN': '当前密码不正确，未做任何更改。',
  },
  tooManyAttempts: {
    en: 'Too many attempts from here. Wait 15 minutes and try again.',
    'zh-CN': '尝试次数过多。请等待 15 分钟后再试。',
  },
  signInAgain: {
    en: 'You signed in too long ago for this. Sign out, sign in again, and repeat it.',
    'zh-CN': '距离上次登录时间过长。请退出后重新登录，再进行此操作。',
  },
  emailMissing: {
    en: 'A password needs an email address, and your account has none.',
    'zh-CN': '设置密码需要邮箱地址，而您的账号没有邮箱。',
  },
  enrolmentOver: {
    en: 'That took too long, or was finished already. Begin again.',
    'zh-CN': '操作超时或已完成。请重新开始。',
  },
  lastWayIn: {
    en: 'This is your only way to sign in. Choose a password or add a passkey first.',
    'zh-CN': '这是您唯一的登录方式。请先设置密码或添加通行密钥。',
  },
  tooManyTokens: {
    en: 'You have as many tokens as one person may have. Revoke one first.',
    'zh-CN': '您的令牌数量已达上限。请先撤销一个。',
  },
  inputNotUsable: {
    en: 'Something is missing or too long. Passwords need at least 12 characters, names at least one.',
    'zh-CN': '有内容缺失或过长。密码至少 12 个字符，名称至少 1 个字符。',
  },
} as const satisfies Readonly<Record<string, Text>>

/** The sentences of signing in with more than a password, and of the account's own page. */
export const accountTexts = { ...signingIn, ...account, ...outcomes } as const
