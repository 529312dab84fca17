import { readForm } from '../../examples/demo/browser.ts'
import { type Answer, send } from './api-client.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** A page or redirect, with the address it came from. */
export interface PageAnswer extends Answer {
  readonly url: string
  readonly html: string
  readonly location: string | null
}

type Fields = Readonly<Record<string, string | readonly string[] | null>>

export interface TestBrowser {
  /** Cookies by name; `set` plants one as somebody else might. */
  cookie(name: string): string | undefined
  plant(name: string, value: string): void
  /** One request; no redirect is followed. */
  open(path: string, headers?: Readonly<Record<string, string>>): Promise<PageAnswer>
  /** One POST of a form, as it stands. */
  post(
    path: string,
    fields: Fields | URLSearchParams,
    headers?: Readonly<Record<string, string>>,
  ): Promise<PageAnswer>
  /** Sends the page's own form with these fields changed; null leaves one out. */
  submit(page: PageAnswer, fields?: Fields, headers?: Readonly<Record<string, string>>): Promise<PageAnswer>
  /** Follows redirects as long as they stay on the platform. */
  follow(answer: PageAnswer): Promise<PageAnswer>
}

/** What every page must carry, whatever it shows. */
const pageHeaders: readonly (readonly [name: string, value: RegExp])[] = [
  ['content-type', /^text\/html; charset=utf-8$/],
  ['content-security-policy', /^default-src 'none'; .*frame-ancestors 'none'; base-uri 'none'$/],
  ['cache-control', /^no-store$/],
  ['x-content-type-options', /^nosniff$/],
  ['x-frame-options', /^(DENY|SAMEORIGIN)$/],
  ['referrer-policy', /^(same-origin|no-referrer)$/],
]

function checkPage(answer: Answer, where: string): void {
  // Of a redirect the browser shows nothing.
  if (answer.headers['location'] !== undefined) return
  if (!(answer.headers['content-type'] ?? '').startsWith('text/html')) return
  for (const [name, value] of pageHeaders) {
    const actual = answer.headers[name] ?? ''
    if (!value.test(actual)) throw new Error(`${where}: the page's ${name} is “${actual}”`)
  }
  if (/<script|\son\w+=|javascript:|style=/i.test(answer.text))
    throw new Error(`${where}: the page needs what its policy forbids`)
}

function toParams(fields: Fields): URLSearchParams {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(fields))
    for (const one of value === null ? [] : [value].flat()) params.append(name, one)
  return params
}

function covers({ path }: Cookie, pathname: string): boolean {
  // RFC 6265 §5.1.4: equal, or a prefix that ends at a slash.
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}

/**
 * A browser at the platform with an empty cookie jar. Every page is held against the rules for pages. Requests go to
 * `baseUrl`, also when the platform calls itself by another, public address.
 */
export function makeTestBrowser(baseUrl: string, language = 'en', publicUrl = baseUrl): TestBrowser {
  const jar = new Map<string, Cookie>()

  function keep(header: string): void {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'
    const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), path }
    const gone = attributes.some((attribute) => /^expires=thu, 01 jan 1970/i.test(attribute))
    if (gone) jar.delete(`${cookie.name} ${path}`)
    else jar.set(`${cookie.name} ${path}`, cookie)
  }

  async function go(
    method: 'GET' | 'POST',
    path: string,
    options: { readonly raw?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<PageAnswer> {
    const url = new URL(path, publicUrl)
    const cookies = [...jar.values()].filter((cookie) => covers(cookie, url.pathname))
    const headers = {
      'accept-language': language,
      accept: 'text/html',
      ...(cookies.length === 0 ? {} : { cookie: cookies.map((c) => `${c.name}=${c.value}`).join('; ') }),
      ...options.headers,
    }
    const answer = await send(baseUrl, method, url.pathname + url.search, { ...options, headers })
    for (const header of answer.setCookies) keep(header)
    checkPage(answer, `${method} ${url.pathname}`)
    const location = answer.headers['location'] ?? null
    return { ...answer, url: url.href, html: answer.text, location }
  }

  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const browser: TestBrowser = {
    cookie: (name) => [...jar.values()].find((cookie) => cookie.name === name)?.value,
    plant(name, value) {
      jar.set(`${name} /`, { name, value, path: '/' })
    },
    open: (path, headers) => go('GET', path, headers === undefined ? {} : { headers }),
    post(path, fields, headers) {
      const params = fields instanceof URLSearchParams ? fields : toParams(fields)
      return go('POST', path, { raw: params.toString(), headers: { ...form, ...headers } })
    },
    submit(page, fields = {}, headers = {}) {
      const { action, fields: standing } = readForm(page)
      const sent = new URLSearchParams(standing.filter(([name]) => !(name in fields)).map(([n, v]) => [n, v]))
      for (const [name, value] of toParams(fields)) sent.append(name, value)
      return browser.post(action, sent, headers)
    },
    async follow(answer) {
      let current = answer
      for (let redirects = 0; current.location !== null; redirects += 1) {
        const next = new URL(current.location, current.url)
        if (next.origin !== new URL(publicUrl).origin) return current
        if (redirects > 10) throw new Error(`too many redirects, last to ${next.href}`)
        current = await browser.open(next.pathname + next.search)
      }
      return current
    },
  }
  return browser
}
