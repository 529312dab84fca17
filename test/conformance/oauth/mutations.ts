import type { Mutation, ProxiedRequest, ProxiedResponse } from './tampering-proxy.ts'

// Each of these is a way in which a server breaks a clause. They are made so that a careless test would not notice:
// one header, one member, one refusal that turned into the success it was before.

type Json = Record<string, unknown>

function editBody(response: ProxiedResponse, edit: (body: Json) => void): void {
  if (!response.body.startsWith('{')) return
  const body = JSON.parse(response.body) as Json
  edit(body)
  response.body = JSON.stringify(body)
}

function isSuccess({ status }: ProxiedResponse): boolean {
  return status >= 200 && status < 300
}

/** The members of JSON answers at this path, changed. */
export function editJson(path: string, what: string, edit: (body: Json) => void): Mutation {
  return {
    what: `${path} answers ${what}`,
    response(response, request) {
      if (request.path === path) editBody(response, edit)
    },
  }
}

export function dropMember(path: string, ...names: readonly string[]): Mutation {
  return editJson(path, `without ${names.join(', ')}`, (body) => {
    for (const name of names) delete body[name]
  })
}

export function setMember(path: string, name: string, value: unknown): Mutation {
  return editJson(path, `with ${name} ${JSON.stringify(value)}`, (body) => {
    body[name] = value
  })
}

/** A header of the answers at paths with this beginning; null takes it away. */
export function setHeader(prefix: string, name: string, value: string | null): Mutation {
  return {
    what: `${prefix} answers ${value === null ? `without ${name}` : `with ${name}: ${value}`}`,
    response({ headers }, request) {
      if (!request.path.startsWith(prefix)) return
      if (value === null) delete headers[name]
      else headers[name] = value
    },
  }
}

export function editHeader(prefix: string, name: string, edit: (value: string) => string): Mutation {
  return {
    what: `${prefix} answers with another ${name}`,
    response({ headers }, request) {
      const value = headers[name]
      if (request.path.startsWith(prefix) && typeof value === 'string') headers[name] = edit(value)
    },
  }
}

/** Refusals at paths with this beginning get another status. */
export function setStatus(prefix: string, status: number, from?: number): Mutation {
  return {
    what: `${prefix} answers ${status}${from === undefined ? '' : ` instead of ${from}`}`,
    response(response, request) {
      if (request.path.startsWith(prefix) && (from === undefined || response.status === from))
        response.status = status
    },
  }
}

/** The parameters of redirects that leave the platform: what the app gets. */
export function editBack(what: string, edit: (parameters: URLSearchParams, location: URL) => void): Mutation {
  return {
    what: `the app gets ${what}`,
    response({ headers }) {
      if (headers.location === undefined || !URL.canParse(headers.location)) return
      const location = new URL(headers.location)
      if (!location.searchParams.has('code') && !location.searchParams.has('error')) return
      edit(location.searchParams, location)
      headers.location = location.href
    },
  }
}

/** The form of requests to this path, changed before the server sees it. */
export function editForm(
  path: string,
  what: string,
  edit: (form: URLSearchParams, request: ProxiedRequest) => void,
): Mutation {
  return {
    what: `${path} ${what}`,
    request(request) {
      if (request.path !== path || request.method !== 'POST') return undefined
      const form = new URLSearchParams(request.body)
      edit(form, request)
      request.body = form.toString()
      return undefined
    },
  }
}

/** The query of authorization requests, changed before the server sees it. */
export function editAuthorization(what: string, edit: (query: URLSearchParams) => void): Mutation {
  return {
    what: `/oauth/authorize ${what}`,
    request(request) {
      if (request.path === '/oauth/authorize') edit(request.query)
      return undefined
    },
  }
}

export function editRequestHeaders(
  prefix: string,
  what: string,
  edit: (headers: ProxiedRequest['headers']) => void,
): Mutation {
  return {
    what: `${prefix} ${what}`,
    request(request) {
      if (request.path.startsWith(prefix)) edit(request.headers)
      return undefined
    },
  }
}

const json = { 'content-type': 'application/json', 'cache-control': 'no-store' }

/** What a token endpoint answers that has checked nothing. */
export const madeUpTokens = JSON.stringify({
  access_token: `stoa_at_${'A'.repeat(49)}`,
  refresh_token: `stoa_rt_${'A'.repeat(49)}`,
  token_type: 'Bearer',
  expires_in: 3600,
  scope: 'order:read',
})

/** Every refusal at this path becomes a success: the last one seen there, else this body. */
export function acceptRefused(path: string, body: string = madeUpTokens, status = 200): Mutation {
  return {
    what: `${path} accepts what it refused`,
    response(response, request, past) {
      if (request.path !== path || response.status < 400) return
      const before = past.findLast(
        (exchange) => exchange.request.path === path && isSuccess(exchange.response),
      )
      Object.assign(response, before?.response ?? { status, headers: { ...json }, body })
    },
  }
}

/** Answers as if it had done what was asked, and does nothing. */
export function pretend(path: string, answer: Partial<ProxiedResponse> = {}): Mutation {
  return {
    what: `${path} only says that it did`,
    request: ({ path: asked, method }) =>
      asked === path && method === 'POST' ? { status: 200, headers: {}, body: '', ...answer } : undefined,
  }
}

/** Errors in the redirect back to the app, or on a page of ours, become a code for the app. */
export function giveCodeAnyway(redirectUri: string): Mutation {
  const code = `stoa_ac_${'A'.repeat(49)}`
  return {
    what: '/oauth/authorize gives a code for what it refused',
    response(response, request) {
      if (request.path !== '/oauth/authorize') return
      const { location } = response.headers
      const refused = response.status >= 400 || /[?&#]error=/.test(location ?? '')
      if (!refused) return
      const back = new URL(request.query.get('redirect_uri') ?? redirectUri)
      back.search = new URLSearchParams({ code, state: request.query.get('state') ?? '' }).toString()
      Object.assign(response, { status: 303, headers: { location: back.href }, body: '' })
    },
  }
}

/** Every answer at paths with this beginning becomes an error of this status. */
export function refuse(prefix: string, status: number, error: string): Mutation {
  return {
    what: `${prefix} refuses with ${error}`,
    response(response, request) {
      if (!request.path.startsWith(prefix)) return
      Object.assign(response, { status, headers: { ...json }, body: JSON.stringify({ error }) })
    },
  }
}

/** Errors at this path become another error. */
export function otherError(path: string, error: string): Mutation {
  return editJson(path, `${error} instead of its error`, (body) => {
    if ('error' in body) body['error'] = error
  })
}
