import type { Text } from './texts.ts'

/** The sentences of signing in with more than a password, and of the account's own page. */
export const accountTexts = {
  passkeySignIn: { en: 'Sign in with a passkey', 'zh-CN': '使用通行密钥登录' },
  passkeyNone: {
    en: 'No passkey was used. Try again, or sign in with your password.',
    'zh-CN': '未使用通行密钥。请重试，或使用密码登录。',
  },
  passkeyNotMade: {
    en: 'No passkey was made. Try again, perhaps with another device.',
    'zh-CN': '未创建通行密钥。请重试，或换一台设备。',
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
} as const satisfies Readonly<Record<string, Text>>
