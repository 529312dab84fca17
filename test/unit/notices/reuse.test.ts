import { expect, test } from 'vitest'
import { textsOf } from '../../../src/notices/notice.ts'

const data = { appName: 'Printer', merchantName: 'Green Leaf Tea' }

test.each(['refresh_token.reused', 'app_access.ended'] as const)(
  '%s names app and merchant in both languages',
  (kind) => {
    const { title, text } = textsOf({ kind, data })
    for (const locale of ['en', 'zh-CN'] as const) {
      expect(title[locale]).toContain('Printer')
      expect(text[locale]).toContain('Green Leaf Tea')
      expect(title[locale] + text[locale]).not.toMatch(/[{}]/)
    }
  },
)
