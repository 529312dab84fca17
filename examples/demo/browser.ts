/** What a person's browser does, without one: keeps cookies, follows redirects, fills in the real forms. */

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

export interface PageAnswer {
  readonly status: number
  readonly url: string
  readonly html: string
}

export interface Form {
  readonly action: string
  readonly method: string
  /** Hidden and ticked fields, as they stand in the page. */
  readonly fields: readonly (readonly [string, string])[]
}

export interface Browser {
  /** Opens an address and follows redirects until a page answers. */
  open(url: string): Promise<PageAnswer>
  /** Sends the first form of the page with these fields added or changed. */
  submit(page: PageAnswer, fields: Readonly<Record<string, string>>): Promise<PageAnswer>
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

function decode(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_match, name: string) => entities[name] ?? '')
}

function attributes(tag: string): ReadonlyMap<string, string> {
  const pairs = [...tag.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)].map(
    ([, name = '', value = '']) => [name, decode(value)] as const,
  )
  return new Map(pairs)
}

/** The page's form that posts (to this address, when one is named), with what the browser would send of it. */
export function readForm(page: PageAnswer, action?: string): Form {
  const forms = [...page.html.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)].map(([text]) => text)
  // The header of a signed-in page has a form of its own.
  const text = forms.find((form) =>
    action === undefined ? !form.includes('action="/sign-out"') : form.includes(` action="${action}"`),
  )
  if (text === undefined)
    throw new Error(`no form ${action ?? ''} on ${page.url}: ${page.html.slice(0, 300)}`)
  const form = attributes(text.slice(0, text.indexOf('>')))
  const fields = [...text.matchAll(/<input([^>]*)>/g)]
    .map(([, tag = '']) => attributes(tag))
    .filter(
      (input) => input.get('type') === 'hidden' || (input.get('type') === 'checkbox' && input.has('checked')),
    )
    .map((input) => [input.get('name') ?? '', input.get('value') ?? ''] as const)
  return { action: form.get('action') ?? page.url, method: form.get('method') ?? 'get', fields }
}

function parseCookie(header: string, url: URL): Cookie & { readonly expired: boolean } {
  const [pair = '', ...rest] = header.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const path = rest.find((part) => /^path=/i.test(part))?.slice(5) ?? url.pathname
  const expires = rest.find((part) => /^expires=/i.test(part))?.slice(8)
  return {
    name: pair.slice(0, at),
    value: pair.slice(at + 1),
    path,
    expired: expires !== undefined && Date.parse(expires) < Date.now(),
  }
}

function covers(cookie: Cookie, pathname: string): boolean {
  // RFC 6265 §5.1.4: equal, or a prefix that ends at a slash.
  if (cookie.path === pathname || cookie.path === '/') return true
  return pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`)
}

const redirectsMax = 12

/**
 * A browser with an empty cookie jar. Cookies are kept per host and port. With `only`, an origin, an address elsewhere is
 * where it ends: nothing is fetched from there.
 */
export function makeBrowser({ only }: { readonly only?: string } = {}): Browser {
  const jars = new Map<string, Map<string, Cookie>>()

  function cookieHeader(url: URL): string {
    const jar = jars.get(url.host) ?? new Map<string, Cookie>()
    return [...jar.values()]
      .filter((cookie) => covers(cookie, url.pathname))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  function keep(response: Response, url: URL): void {
    const jar = jars.get(url.host) ?? new Map<string, Cookie>()
    jars.set(url.host, jar)
    for (const header of response.headers.getSetCookie()) {
      const cookie = parseCookie(header, url)
      const key = `${cookie.name};${cookie.path}`
      if (cookie.expired || cookie.value === '') jar.delete(key)
      else jar.set(key, cookie)
    }
  }

  async function go(target: URL, method: string, body: URLSearchParams | null): Promise<PageAnswer> {
    let url = target
    let request: RequestInit = { method, ...(body === null ? {} : { body }) }
    for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
      const headers = { cookie: cookieHeader(url), accept: 'text/html' }
      const response = await fetch(url, { ...request, headers, redirect: 'manual' })
      keep(response, url)
      const location = response.headers.get('location')
      if (location === null) return { status: response.status, url: url.href, html: await response.text() }
      await response.body?.cancel()
      url = new URL(location, url)
      if (only !== undefined && url.origin !== only)
        return { status: response.status, url: url.href, html: '' }
      request = { method: 'GET' }
    }
    throw new Error(`more than ${redirectsMax} redirects, last to ${url.href}`)
  }

  return {
    open: (url) => go(new URL(url), 'GET', null),
    submit(page, fields) {
      const form = readForm(page)
      const sent = new URLSearchParams([...form.fields].map(([name, value]) => [name, value]))
      for (const [name, value] of Object.entries(fields)) sent.set(name, value)
      return go(new URL(form.action, page.url), form.method.toUpperCase(), sent)
    },
  }
}
