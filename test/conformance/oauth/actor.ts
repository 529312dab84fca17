import { Agent, request as sendRequest } from 'node:http'
import * as oauth from 'oauth4webapi'
import type { PageAnswer, TestBrowser } from '../../support/test-browser.ts'
import { makeTestBrowser } from '../../support/test-browser.ts'
import type { App, World } from './world.ts'

/** Parameters of a form or query; a list sends one several times, null leaves a standing one out. */
export type Parameters = Readonly<Record<string, string | readonly string[] | null>>

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The body as a JSON object; without members when it is none. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly form?: Parameters
  readonly query?: Parameters
  readonly body?: string
}

/** An authorization request of an app, and what the app keeps to redeem its code. */
export interface Authorization {
  readonly app: App
  /** Path and query. */
  readonly path: string
  readonly state: string
  readonly codeVerifier: string
  readonly codeChallenge: string
  readonly redirectUri: string
}

export interface Code extends Authorization {
  readonly code: string
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
  readonly expires_in: number
}

export interface Choice {
  readonly decision?: 'allow' | 'deny'
  readonly optional?: readonly string[]
}

/**
 * An app’s developer with raw HTTP, and a merchant with a browser, at one address: the server’s own or that of a proxy
 * before it. What is written for the issuer’s address is sent there.
 */
export interface Actor {
  readonly world: World
  /** For client libraries, as their own `fetch`. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>
  send(method: string, path: string, options?: SendOptions): Promise<Reply>
  /** A browser in which the merchant’s owner is signed in. */
  browser(): TestBrowser
  /** A browser without cookies. */
  visitor(): TestBrowser
  authorization(changes?: Parameters, app?: App): Promise<Authorization>
  /** The answer to the authorization request in a browser without cookies. */
  open(authorization: Authorization): Promise<Reply>
  /** The consent page, in a browser that is signed in. */
  consentPage(
    authorization: Authorization,
  ): Promise<{ readonly browser: TestBrowser; readonly page: PageAnswer }>
  /** Where the browser ends up at the app; null when it stays on a page of the platform. */
  back(authorization: Authorization, choice?: Choice): Promise<URL | null>
  /** A code, from the request over consent. */
  code(changes?: Parameters, app?: App): Promise<Code>
  /** The token endpoint; without an app nobody authenticates. */
  token(form: Parameters, app?: App | null, headers?: SendOptions['headers']): Promise<Reply>
  redeem(code: Code, changes?: Parameters, app?: App | null): Promise<Reply>
  refresh(token: string, changes?: Parameters, app?: App | null): Promise<Reply>
  revoke(token: string, changes?: Parameters, app?: App | null): Promise<Reply>
  introspect(token: string, changes?: Parameters, app?: App | null): Promise<Reply>
  /** An installed app with its tokens. */
  connect(changes?: Parameters, app?: App): Promise<Tokens>
  /** A request of the API; null sends no token. */
  api(
    token: string | null,
    path?: string,
    options?: SendOptions & { readonly method?: string },
  ): Promise<Reply>
}

const agent = new Agent({ keepAlive: true })

export function encode(parameters: Parameters): string {
  const encoded = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const one of value === null ? [] : [value].flat()) encoded.append(name, one)
  return encoded.toString()
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** One request as it stands, headers sent twice where they are lists. */
export function sendAt(
  address: string,
  method: string,
  path: string,
  options: SendOptions = {},
): Promise<Reply> {
  const { form, query = {}, headers = {} } = options
  const search = encode(query)
  const url = new URL(`${address}${path}${search === '' ? '' : `?${search}`}`)
  const body = form === undefined ? options.body : encode(form)
  const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const lists = Object.entries({ ...type, ...length, ...headers }).map(([name, value]) => [name, value])
  return new Promise((resolve, reject) => {
    sendRequest(url, { method, agent, headers: Object.fromEntries(lists) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const received = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(received) as Record<string, string>,
          text,
          json: parseObject(text),
        })
      })
    })
      .on('error', reject)
      .end(body)
  })
}

export function basic({ appId, clientSecret }: Pick<App, 'appId' | 'clientSecret'>): string {
  return `Basic ${Buffer.from(`${appId}:${clientSecret}`).toString('base64')}`
}

async function makeAuthorization(app: App, changes: Parameters): Promise<Authorization> {
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const codeChallenge = await oauth.calculatePKCECodeChallenge(codeVerifier)
  const state = oauth.generateRandomState()
  const standing = {
    ...{
      client_id: app.appId,
      response_type: 'code',
      redirect_uri: app.redirectUri,
      scope: 'order:read',
      state,
    },
    ...{ code_challenge: codeChallenge, code_challenge_method: 'S256' },
  }
  const { redirect_uri: redirectUri } = { ...standing, ...changes }
  return {
    ...{ app, state, codeVerifier, codeChallenge },
    redirectUri: typeof redirectUri === 'string' ? redirectUri : app.redirectUri,
    path: `/oauth/authorize?${encode({ ...standing, ...changes })}`,
  }
}

export function makeActor(world: World, address: string): Actor {
  const { issuer } = world

  function atClient(path: string) {
    return (token: string, changes: Parameters = {}, app: App | null = world.app) =>
      actor.send('POST', path, {
        form: { token, ...changes },
        headers: app === null ? {} : { authorization: basic(app) },
      })
  }

  const actor: Actor = {
    world,
    fetch: (url, init = {}) => {
      const sent = url.startsWith(issuer) ? address + url.slice(issuer.length) : url
      return fetch(sent, { ...init, redirect: 'manual' })
    },
    send: (method, path, options) => sendAt(address, method, path, options),
    visitor: () => makeTestBrowser(address, 'en', issuer),
    browser() {
      const browser = actor.visitor()
      browser.plant('stoa_session', world.merchant.owner.session)
      return browser
    },
    authorization: (changes = {}, app = world.app) => makeAuthorization(app, changes),
    open: ({ path }) => actor.send('GET', path, { headers: { accept: 'text/html' } }),
    async consentPage({ path }) {
      const browser = actor.browser()
      return { browser, page: await browser.follow(await browser.open(path)) }
    },
    async back(authorization, { decision = 'allow', optional = [] } = {}) {
      const { browser, page } = await actor.consentPage(authorization)
      if (page.location !== null) return new URL(page.location, issuer)
      if (page.status !== 200) return null
      const { location } = await browser.follow(await browser.submit(page, { decision, optional }))
      return location === null ? null : new URL(location)
    },
    async code(changes = {}, app = world.app) {
      const authorization = await actor.authorization(changes, app)
      const back = await actor.back(authorization)
      const code = back?.searchParams.get('code') ?? null
      if (code === null) throw new Error(`no code but ${back?.href ?? 'a page'}`)
      return { ...authorization, code }
    },
    token: (form, app = world.app, headers = {}) =>
      actor.send('POST', '/oauth/token', {
        form,
        headers: { ...(app === null ? {} : { authorization: basic(app) }), ...headers },
      }),
    redeem({ code, codeVerifier, redirectUri, app: own }, changes = {}, app = own) {
      const form = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      }
      return actor.token({ ...form, ...changes }, app)
    },
    refresh: (token, changes = {}, app = world.app) =>
      actor.token({ grant_type: 'refresh_token', refresh_token: token, ...changes }, app),
    revoke: atClient('/oauth/revoke'),
    introspect: atClient('/oauth/introspect'),
    async connect(changes = {}, app = world.app) {
      const { status, text, json } = await actor.redeem(await actor.code(changes, app))
      if (status !== 200) throw new Error(`no tokens but ${status}: ${text}`)
      return json as unknown as Tokens
    },
    api: (token, path = '/v1/orders', { method = 'GET', headers = {}, ...options } = {}) =>
      actor.send(method, path, {
        ...options,
        headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
      }),
  }
  return actor
}
