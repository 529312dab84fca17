/**
 * The whole story by public HTTP: its own fresh Stoa, a real third-party backend, real forms.
 * Prints every step with its ids and milliseconds; exits 0, or 1 with the step that failed.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeApi } from './api.ts'
import { startBackend } from './backend.ts'
import { makeBrowser } from './browser.ts'
import { type DemoPerson, invitePerson, registerDeveloper } from './people.ts'
import { freePort, startProgram } from './processes.ts'
import { publishApp } from './publish-app.ts'
import { makeStory, StepFailed, type Story, until } from './steps.ts'

const root = path.join(import.meta.dirname, '../..')
const print = (line: string) => process.stdout.write(`${line}\n`)

interface Stage {
  readonly story: Story
  readonly baseUrl: string
  readonly hostKey: string
}

interface Cast {
  readonly developer: DemoPerson
  readonly reviewer: DemoPerson
  readonly merchant: DemoPerson
  readonly merchantId: string
  readonly publisherId: string
}

async function gatherCast({ story, baseUrl, hostKey }: Stage): Promise<Cast> {
  const host = makeApi(baseUrl, hostKey)
  const developer = await story.step(
    'a developer registers and signs in',
    () => registerDeveloper(baseUrl, 'dana@example.com'),
    ({ personId }) => personId,
  )
  const { id: publisherId } = await story.step(
    'the developer creates a publisher',
    () => developer.api.call<{ id: string }>('POST', '/developer/v1/publishers', { name: 'Dana’s studio' }),
    ({ id }) => id,
  )
  const { id: merchantId } = await story.step(
    'the host creates a merchant',
    () => host.call<{ id: string }>('POST', '/host/v1/merchants', { kind: 'shop', name: 'Green Leaf Tea' }),
    ({ id }) => id,
  )
  const merchant = await story.step(
    'the host invites its owner, who accepts',
    () =>
      invitePerson(baseUrl, {
        host,
        path: `/host/v1/merchants/${merchantId}/members`,
        role: 'owner',
        email: 'mei@example.com',
        audiences: ['merchant', 'account'],
      }),
    ({ personId }) => personId,
  )
  const reviewer = await story.step(
    'the host invites a reviewer, who accepts',
    () =>
      invitePerson(baseUrl, {
        host,
        path: '/host/v1/staff',
        role: 'reviewer',
        email: 'ravi@example.com',
        audiences: ['reviewer'],
      }),
    ({ personId }) => personId,
  )
  return { developer, reviewer, merchant, merchantId, publisherId }
}

/** The merchant signs in on the real page and allows the backend app, as /oauth/authorize leads them. */
async function installThroughOAuth({ story }: Stage, { merchant }: Cast, backendUrl: string) {
  const browser = makeBrowser()
  const signIn = await story.step('the merchant follows the app’s install link', () =>
    browser.open(`${backendUrl}/install`),
  )
  const consent = await story.step('… signs in on the page it leads to', () =>
    browser.submit(signIn, { email: merchant.email, password: merchant.password }),
  )
  await story.step(
    '… allows on the consent page; the app redeems its code',
    async () => {
      const done = await browser.submit(consent, { decision: 'allow' })
      if (done.status !== 200 || !done.url.startsWith(backendUrl)) {
        throw new Error(`ended at ${done.url} with ${done.status}: ${done.html.slice(0, 500)}`)
      }
      return done
    },
    ({ url }) => new URL(url).pathname,
  )
  return browser
}

async function installFromMarket({ story, baseUrl }: Stage, cast: Cast, appId: string): Promise<void> {
  const browser = makeBrowser()
  const page = `${baseUrl}/m/apps/${appId}/consent?merchant=${cast.merchantId}`
  const signIn = await story.step('the merchant opens the mini-program in the market', () =>
    browser.open(page),
  )
  const consent = await story.step('… signs in', () =>
    browser.submit(signIn, { email: cast.merchant.email, password: cast.merchant.password }),
  )
  await story.step('… allows; it is installed', async () => {
    const done = await browser.submit(consent, { decision: 'allow' })
    if (done.status !== 200 || !done.html.includes('is installed at'))
      throw new Error(`${done.status} ${done.html.slice(0, 500)}`)
  })
}

interface DeliveryPage {
  readonly data: readonly {
    readonly subject: string
    readonly state: string
    readonly attempts: readonly { readonly outcome: string; readonly response: string | null }[]
  }[]
}

/** Waits until the handler has run for this order, and gives what it stored and answered. */
async function handlerResult({ developer }: Cast, appId: string, orderId: string): Promise<string> {
  return until('the handler’s result', 15_000, async () => {
    const address = `/developer/v1/apps/${appId}/deliveries?sink=sandbox`
    const { data } = await developer.api.call<DeliveryPage>('GET', address)
    const delivered = data.find(({ subject, state }) => subject === orderId && state === 'delivered')
    return delivered?.attempts.find(({ outcome }) => outcome === 'delivered')?.response ?? null
  })
}

async function payAnOrder(stage: Stage, { merchantId }: Cast): Promise<string> {
  const host = makeApi(stage.baseUrl, stage.hostKey)
  const orders = `/host/v1/merchants/${merchantId}/orders`
  const order = await stage.story.step(
    'the host reports an order',
    () =>
      host.call<{ id: string }>('POST', orders, {
        externalId: 'A-1001',
        lines: [{ name: 'Jasmine tea', quantity: 2, unitPrice: { amount: 1250, currency: 'CNY' } }],
        customer: { name: 'Lin Yue', phone: '+86 10 5555 0100' },
      }),
    ({ id }) => id,
  )
  await stage.story.step('the host reports that it was paid', () =>
    host.call('POST', `${orders}/${order.id}:pay`),
  )
  return order.id
}

async function play(stage: Stage, closers: (() => Promise<void>)[]): Promise<void> {
  const { story, baseUrl } = stage
  const cast = await gatherCast(stage)
  const port = await freePort()
  const backendUrl = `http://127.0.0.1:${port}`

  const printer = await publishApp(stage, cast, {
    name: 'Order printer',
    class: 'backend',
    folder: path.join(root, 'examples/order-printer/package'),
    change: { stoa_redirect_uris: [`${backendUrl}/callback`] },
  })
  const thanks = await publishApp(stage, cast, {
    name: 'Thank you',
    class: 'mini-program',
    folder: path.join(root, 'examples/thank-you'),
  })
  const endpoint = await story.step(
    'the developer registers a webhook endpoint',
    () =>
      cast.developer.api.call<{ id: string; secret: string }>(
        'POST',
        `/developer/v1/apps/${printer.appId}/endpoints`,
        {
          url: `${backendUrl}/webhooks`,
        },
      ),
    ({ id }) => id,
  )
  const backend = await story.step(
    'the third-party backend starts (a process of its own)',
    () => startBackend({ root, port, baseUrl, webhookSecret: endpoint.secret, ...printer }),
    () => backendUrl,
  )
  closers.push(() => backend.stop())

  await installThroughOAuth(stage, cast, backendUrl)
  await installFromMarket(stage, cast, thanks.appId)
  const orderId = await payAnOrder(stage, cast)
  await story.step(
    'the backend got the webhook and its signature verified',
    async () => {
      const printed = `^\\{"printed":"order\\.paid","subject":"${orderId}",.*"signature":"verified".*$`
      const [line] = await backend.line(new RegExp(printed), 15_000)
      return line
    },
    (line) => line.slice(0, 400),
  )
  await story.step(
    'the mini-program’s handler ran and stored its result',
    () => handlerResult(cast, thanks.appId, orderId),
    (result) => result,
  )
}

async function main(): Promise<void> {
  const story = makeStory(print)
  const folder = await mkdtemp(path.join(tmpdir(), 'stoa-demo-'))
  const hostKey = `demo-${randomBytes(24).toString('hex')}`
  const closers: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })]
  const startedAt = performance.now()
  try {
    const { server, baseUrl } = await story.step(
      'Stoa starts in an empty folder',
      async () => {
        const started = startProgram(path.join(root, 'src/main.ts'), {
          HOST: '127.0.0.1',
          PORT: '0',
          STOA_DATA_DIR: folder,
          STOA_SEED: 'none',
          STOA_HOST_KEY: hostKey,
          STOA_ALLOW_LOOPBACK_TARGETS: 'true',
          DATABASE_URL: '',
          REDIS_URL: '',
        })
        closers.push(() => started.stop())
        const [, address = ''] = await started.line(/^listening on (\S+)/, 30_000)
        return { server: started, baseUrl: address }
      },
      (started) => `${started.baseUrl} (process ${started.server.child.pid})`,
    )
    await play({ story, baseUrl, hostKey }, closers)
    print(`\nthe whole story took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    await story.step('Stoa finishes what is in flight and ends', () => server.stop())
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

main().catch((error: unknown) => {
  const failed = error instanceof StepFailed ? error.cause : error
  print(`\nFAILED: ${error instanceof Error ? error.message : String(error)}`)
  print(failed instanceof Error ? `${failed.stack}` : String(failed))
  process.exitCode = 1
})
