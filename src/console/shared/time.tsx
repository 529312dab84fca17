import { parseTime } from '../../kernel/index.ts'
import type { Locale } from '../page.ts'

const formats: Readonly<Record<Locale, Intl.DateTimeFormat>> = {
  en: new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }),
  'zh-CN': new Intl.DateTimeFormat('zh-CN', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }),
}

/** A time of the wire for people, in UTC: where somebody sits, a page without a script does not know. */
export function Time({ iso, locale }: { readonly iso: string; readonly locale: Locale }) {
  const ms = parseTime(iso)
  return <time dateTime={iso}>{ms === null ? iso : `${formats[locale].format(ms)} UTC`}</time>
}
