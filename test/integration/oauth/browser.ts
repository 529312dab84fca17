import type { World } from './world.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

export interface Browser {
  readonly cookies: Map<string, Cookie>
  /** One request, no redirect followed. */
  open(url: string, method?: 'GET' | 'POST', headers?: Record<string, string>): Promise<Response>
}

/** Keeps cookies by name and path and sends them as RFC 6265 §5.4 says; everything else is the test's. */
export function makeBrowser(): Browser {
  const cookies = new Map<string, Cookie>()
  const keep = (header: string) => {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'
    const gone = attributes.some((attribute) => /^expires=thu, 01 jan 1970/i.test(attribute))
    if (gone) cookies.delete(`${name} ${path}`)
    else cookies.set(`${name} ${path}`, { name, value, path })
  }
  const fits = (cookie: Cookie, pathname: string) =>
    pathname === cookie.path ||
    pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`)
  return {
    cookies,
    async open(url, method = 'GET', headers = {}) {
      const { pathname } = new URL(url)
      const sent = [...cookies.values()].filter((cookie) => fits(cookie, pathname))
      const cookie = sent.map(({ name, value }) => `${name}=${value}`).join('; ')
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: { ...headers, ...(cookie === '' ? {} : { cookie }) },
      })
      for (const header of response.headers.getSetCookie()) keep(header)
      return response
    },
  }
}

/** Where a redirect leads. */
export function locationOf(world: Pick<World, 'publicUrl'>, response: Response): URL {
  const location = response.headers.get('location')
  if (location === null) throw new Error(`no redirect but ${response.status}`)
  return new URL(location, world.publicUrl)
}
