import type { IncomingMessage } from 'node:http'
import express, { type Express, type Request, type Response } from 'express'
import helmet from 'helmet'
import type { Caller, Catalog, Door } from '../capability/index.ts'
import { type IdSource, type Log, newId, withRequest } from '../kernel/index.ts'
import { type Authenticators, authenticate, presentsCredential } from './authenticate.ts'
import { serveAuthorization } from './authorization-routes.ts'
import { challengeOf } from './challenge.ts'
import { clientAddressOf, type Trusts } from './client-address.ts'
import { HttpErrors } from './errors.ts'
import type { Metrics } from './metrics.ts'
import { addOperationRoutes, refuseOtherMethods } from './operation-routes.ts'
import { addPageRoutes, type PageRouteDependencies } from './page-routes.ts'
import { problemHandler } from './problem-handler.ts'
import { isMetered, type Meter } from './quota/meter.ts'

/** A text served as it is: style sheet, type declarations. */
export interface StaticFile {
  readonly path: string
  readonly mediaType: string
  readonly text: string
}

export interface HttpDependencies {
  readonly catalog: Catalog
  readonly door: Door
  readonly log: Log
  readonly ids: IdSource
  readonly trustProxy: readonly string[]
  readonly authenticators: Authenticators
  readonly authorizationServer: {
    matches(path: string): boolean
    handle(request: Request, response: Response): void
  }
  readonly meter: Meter
  readonly pages: PageRouteDependencies
  readonly files: readonly StaticFile[]
  readonly metrics: Metrics
}

export type HttpApp = Express

/** Where a request came from, as far as the application's proxies are trusted. */
export function clientAddressBy(app: Express): (request: IncomingMessage) => string {
  const trusts = app.get('trust proxy fn') as Trusts
  return (request) => clientAddressOf(request, trusts)
}

/** The one Express application: what stands above runs before what stands below. */
export function makeHttpApp(deps: HttpDependencies): Express {
  const { log } = deps
  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', 'simple')
  app.set('trust proxy', deps.trustProxy.length > 0 ? [...deps.trustProxy] : false)
  app.set('etag', false)
  // One spelling per address: who may call is decided by its prefix.
  app.enable('case sensitive routing')
  app.enable('strict routing')

  app.use((request, response, next) => {
    // Always ours: a caller's id in the log would let it forge lines.
    const requestId = newId('request', deps.ids)
    response.setHeader('request-id', requestId)
    withRequest({ requestId, clientAddress: request.ip ?? '' }, next)
  })
  // RFC 3986 §3.3 and §3.5: neither stands in a path or query. Some parsers, one of ours among them, read “\\” as “/”.
  app.use((request, _response, next) => {
    next(/[\\#]/.test(request.url) ? HttpErrors.bad_request('the address holds “\\” or “#”') : undefined)
  })
  // Pages set their own policy; everything else may load nothing at all.
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
      referrerPolicy: { policy: 'same-origin' },
      crossOriginResourcePolicy: { policy: 'same-site' },
    }),
  )
  // Before every body parser: the authorization server reads its own bodies.
  app.use((request, response, next) => {
    if (deps.authorizationServer.matches(request.path)) serveAuthorization(deps, request, response, next)
    else next()
  })
  const admit = (request: Request, response: Response): Promise<Caller> => {
    const identify = () => authenticate(request, deps.authenticators)
    if (!isMetered(request)) return identify()
    const metered = { address: request.ip ?? '', presents: presentsCredential(request), response }
    return deps.meter.admit(metered, identify)
  }
  addOperationRoutes(app, {
    catalog: deps.catalog,
    door: deps.door,
    admit,
    observe: deps.metrics.observe,
  })
  addPageRoutes(app, deps.pages)
  for (const file of deps.files) {
    app.get(file.path, (_request, response) => {
      response.setHeader('cache-control', 'public, max-age=300')
      response.type(file.mediaType).send(file.text)
    })
    refuseOtherMethods(app, file.path, ['GET'])
  }
  app.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4').send(await deps.metrics.render())
  })
  refuseOtherMethods(app, '/metrics', ['GET'])
  app.use(() => {
    throw HttpErrors.not_found()
  })
  app.use(problemHandler(log, (request, error) => challengeOf(request, deps.authenticators.challenge, error)))
  return app
}
