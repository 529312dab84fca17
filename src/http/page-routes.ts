import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { type Caller, CapabilityErrors, type Door, type PersonCaller } from '../capability/index.ts'
import type {
  Interaction,
  Locale,
  Page,
  PageCall,
  PageRequest,
  PageResponse,
  PageSession,
  ProviderAsking,
  SignInResult,
} from '../console/index.ts'
import type { Entry, Visitor, WaysIn } from '../identity/index.ts'
import { currentRequestId, type Log, limits, type Random, type StoaError } from '../kernel/index.ts'
import { sessionCookieOf } from './authenticate.ts'
import { HttpErrors } from './errors.ts'
import { refuseOtherMethods } from './operation-routes.ts'
import { logFailure, setErrorHeaders, toStoaError } from './problem-handler.ts'
import type { Meter } from './quota/meter.ts'
import { isFromAnotherSite, readCookie } from './request.ts'
import {
  type Csrf,
  clearSessionCookie,
  clearStepCookie,
  csrfCookieOf,
  readStepCookie,
  sessionCookieName,
  setSessionCookie,
  setStepCookie,
} from './session-cookie.ts'

/** What pages need of the parts behind sign-in and /oauth/authorize. */
export interface PageRouteDependencies {
  readonly pages: readonly Page[]
  readonly door: Door
  readonly csrf: Csrf
  readonly random: Random
  readonly secureCookies: boolean
  readonly log: Log
  /** The error page: console renders, http answers. */
  renderError(error: StoaError, request: PageRequest): PageResponse
  session(cookie: string): Promise<PersonCaller | null>
  readonly meter: Meter
  readonly waysIn: WaysIn
  signOut(cookie: string): Promise<void>
  findInteraction(request: Request, response: Response): Promise<Interaction | null>
  resumeSignIn(
    request: Request,
    response: Response,
    input: { readonly uid: string; readonly personId: string },
  ): Promise<string>
  denyConsent(request: Request, response: Response): Promise<string>
}

/** Asked for by link, or by the form of a page that was shown in it; else the person's own, else the browser's. */
function localeOf(request: Request, person: PersonCaller | null): Locale {
  const asked = [request.query['lang'], formOf(request)['lang']?.[0], person?.locale]
  for (const locale of asked) if (locale === 'zh-CN' || locale === 'en') return locale
  const best = request.acceptsLanguages('en', 'zh-CN', 'zh')
  return best === 'zh-CN' || best === 'zh' ? 'zh-CN' : 'en'
}

const formParser = express.urlencoded({
  extended: false,
  limit: limits.requestHeaderBytesMax,
  parameterLimit: 200,
})

function textMembers(value: unknown): Record<string, string> {
  const members: Record<string, string> = {}
  for (const [name, member] of Object.entries((value ?? {}) as object)) {
    if (typeof member === 'string') members[name] = member
  }
  return members
}

function formOf(request: Request): Record<string, readonly string[]> {
  const form: Record<string, readonly string[]> = {}
  for (const [name, value] of Object.entries((request.body ?? {}) as object)) {
    form[name] = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string')
  }
  return form
}

/** The policy of every page: nothing but our own files, forms only to us and, on consent, back to the app. */
function contentSecurityPolicy(formActionOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    `form-action ${["'self'", ...formActionOrigins].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

function send(response: Response, page: PageResponse): void {
  response.setHeader('cache-control', 'no-store')
  if (page.kind === 'redirect') {
    response.redirect(303, page.location)
    return
  }
  response.setHeader('content-security-policy', contentSecurityPolicy(page.formActionOrigins ?? []))
  response.status(page.status).type('html').send(page.html)
}

function checkCsrf(deps: PageRouteDependencies, request: Request, cookie: string): void {
  const [token] = formOf(request)['csrf'] ?? []
  if (isFromAnotherSite(request) || !deps.csrf.matches(cookie, token)) throw HttpErrors.csrf_refused()
}

function visitorOf(request: Request, browser: string): Visitor {
  return { browser, address: request.ip ?? '', userAgent: request.get('user-agent') ?? '' }
}

/** Keeps in cookies what a sign-in came to; tells the page the rest. */
function settle(deps: PageRouteDependencies, response: Response, entry: Entry): SignInResult {
  if (entry.kind === 'second_factor') {
    setStepCookie(response, entry.step, deps.secureCookies)
    return { kind: 'second_factor' }
  }
  if (entry.kind !== 'signed_in') return entry
  // A new cookie at each sign-in: a session planted before it (fixation) is worth nothing.
  setSessionCookie(response, entry.cookie, deps.secureCookies)
  clearStepCookie(response, deps.secureCookies)
  return { kind: 'signed_in', person: entry.person }
}

function asPerson(asking: ProviderAsking, person: PersonCaller | null): Parameters<WaysIn['askProvider']>[1] {
  if (asking.mode !== 'link') return asking
  if (person === null) throw CapabilityErrors.unauthenticated()
  return { ...asking, person }
}

function sessionOf(
  deps: PageRouteDependencies,
  request: Request,
  response: Response,
  { browser, person }: { readonly browser: string; readonly person: PersonCaller | null },
): PageSession {
  const { waysIn } = deps
  const visitor = visitorOf(request, browser)
  const step = readStepCookie(request)
  return {
    signIn: async (credentials) => settle(deps, response, await waysIn.byPassword(visitor, credentials)),
    awaitsSecondFactor: () => step !== '',
    confirmSecondFactor: async (code) =>
      settle(deps, response, await waysIn.bySecondFactor(visitor, { step, code })),
    askForPasskey: () => waysIn.askForPasskey(visitor),
    signInByPasskey: async (given) => settle(deps, response, await waysIn.byPasskey(visitor, given)),
    providerName: waysIn.providerName,
    async askProvider(asking) {
      const asked = await waysIn.askProvider(visitor, asPerson(asking, person))
      setStepCookie(response, asked.step, deps.secureCookies)
      return asked.location
    },
    async returnFromProvider() {
      const { searchParams: parameters } = new URL(request.originalUrl, 'http://page.invalid')
      const { entry, returnTo } = await waysIn.byProvider(visitor, { step, parameters, person })
      // Whatever came of it: a step leads there and back once.
      clearStepCookie(response, deps.secureCookies)
      if (entry.kind === 'address_taken' || entry.kind === 'linked') return { result: entry, returnTo }
      return { result: settle(deps, response, entry), returnTo }
    },
    async signOut() {
      const cookie = readCookie(request, sessionCookieName)
      if (cookie !== null) await deps.signOut(cookie)
      clearSessionCookie(response, deps.secureCookies)
    },
    resumeSignIn: ({ uid }, { personId }) => deps.resumeSignIn(request, response, { uid, personId }),
    denyConsent: () => deps.denyConsent(request, response),
  }
}

/** Who looks at the page; counted against their quota, or that of the network. */
async function admit(
  deps: PageRouteDependencies,
  request: Request,
  response: Response,
): Promise<PersonCaller | null> {
  const cookie = sessionCookieOf(request)
  const metered = { address: request.ip ?? '', presents: cookie !== null, response }
  const person = cookie === null ? null : () => deps.session(cookie)
  const caller = await deps.meter.admit(metered, async () => (await person?.()) ?? { kind: 'anonymous' })
  return caller.kind === 'person' ? caller : null
}

function pageRequestOf(
  deps: PageRouteDependencies,
  request: Request,
  cookie: string,
  known: Pick<PageRequest, 'person' | 'interaction'>,
): PageRequest {
  return {
    params: textMembers(request.params),
    query: textMembers(request.query),
    form: formOf(request),
    path: request.originalUrl,
    locale: localeOf(request, known.person),
    csrfToken: deps.csrf.tokenFor(cookie),
    requestId: currentRequestId() ?? '',
    ...known,
  }
}

function signInFirst(request: Request): PageResponse {
  const back = request.method === 'GET' ? `?return_to=${encodeURIComponent(request.originalUrl)}` : ''
  return { kind: 'redirect', location: `/sign-in${back}` }
}

function callAs(deps: PageRouteDependencies, { person, requestId }: PageRequest): PageCall {
  const caller: Caller = person ?? { kind: 'anonymous' }
  return (operationId, input) => deps.door.invoke(operationId, { caller, input, via: 'console', requestId })
}

function parseForm(request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    formParser(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)))
  })
}

async function answer(
  page: Page,
  deps: PageRouteDependencies,
  request: Request,
  response: Response,
  cookie: string,
): Promise<PageResponse> {
  let known: Pick<PageRequest, 'person' | 'interaction'> = { person: null, interaction: null }
  try {
    if (page.method === 'POST') await parseForm(request, response)
    known = { ...known, person: await admit(deps, request, response) }
    if (page.method === 'POST') checkCsrf(deps, request, cookie)
    if (page.access === 'signed-in' && known.person === null) return signInFirst(request)
    if (page.path.includes(':uid'))
      known = { ...known, interaction: await deps.findInteraction(request, response) }
    const pageRequest = pageRequestOf(deps, request, cookie, known)
    return await page.handle(
      pageRequest,
      callAs(deps, pageRequest),
      sessionOf(deps, request, response, { browser: cookie, person: known.person }),
    )
  } catch (error) {
    const stoaError = toStoaError(error)
    logFailure(deps.log, request, stoaError, error)
    setErrorHeaders(response, stoaError, stoaError.status === 401 ? 'Bearer' : null)
    return deps.renderError(stoaError, pageRequestOf(deps, request, cookie, known))
  }
}

function pageHandler(page: Page, deps: PageRouteDependencies): RequestHandler {
  return async (request, response) => {
    const cookie = csrfCookieOf(request, response, deps.random, deps.secureCookies)
    send(response, await answer(page, deps, request, response, cookie))
  }
}

/** Every page becomes a route: real forms, session cookie, CSRF token, strict Content-Security-Policy. */
export function addPageRoutes(app: Express, deps: PageRouteDependencies): void {
  const methodsByPath = new Map<string, string[]>()
  for (const page of deps.pages) {
    const { method, path } = page
    if (method === 'GET') app.get(path, pageHandler(page, deps))
    else app.post(path, pageHandler(page, deps))
    methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), method])
  }
  for (const [path, methods] of methodsByPath) refuseOtherMethods(app, path, methods)
}
