import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { type AppSpec, makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'
import { type Actor, makeActor } from './actor.ts'
import { startTamperingProxy, type TamperingProxy } from './tampering-proxy.ts'

export const redirectUri = 'https://app.example.com/callback'

export interface App extends TestApp {
  readonly redirectUri: string
}

type PublishedApp = AppSpec & { readonly redirectUris?: readonly string[] }

/** The whole platform with a merchant, two apps of two publishers, and a proxy that tampers. One for a test file. */
export interface World {
  readonly at: TestPlatform
  readonly story: Story
  readonly issuer: string
  readonly merchant: TestMerchant
  /** Asks for order:read; order:write is optional. */
  readonly app: App
  readonly other: App
  readonly proxy: TamperingProxy
  /** At the server itself. */
  readonly direct: Actor
  /** Through the proxy. */
  readonly tampered: Actor
  /** Another app with a released version; the same one for the same words. */
  publish(spec?: PublishedApp): Promise<App>
  /** A new app each time: one that a person has declined cannot bring them back to the question for a while. */
  another(): Promise<App>
  /** A merchant of somebody else. */
  otherMerchant(): Promise<TestMerchant>
  /** Runs something at a later time, and goes back. */
  later<T>(ms: number, run: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export async function openWorld(): Promise<World> {
  const at = await startTestPlatform()
  const story = makeStory(at)
  const proxy = await startTamperingProxy(at.baseUrl)

  let stranger: Promise<TestMerchant> | null = null
  const published = new Map<string, Promise<App>>()
  async function publishFresh({ redirectUris = [redirectUri], ...spec }: PublishedApp): Promise<App> {
    const manifest = { required: ['order:read'], optional: ['order:write'], redirectUris, ...spec.manifest }
    const app = await story.publish(await story.publisher(), { ...spec, manifest })
    return { ...app, redirectUri: redirectUris[0] ?? redirectUri }
  }
  const publish: World['publish'] = (spec = {}) => {
    const key = JSON.stringify(spec)
    const app = published.get(key) ?? publishFresh(spec)
    published.set(key, app)
    return app
  }

  const world = {
    ...{ at, story, proxy, publish, issuer: at.baseUrl },
    merchant: await story.merchant(),
    app: await publishFresh({}),
    other: await publishFresh({ name: 'Label maker' }),
    another: () => publishFresh({ name: 'Declined' }),
    otherMerchant() {
      stranger ??= story.merchant('Blue Door Books')
      return stranger
    },
    async later<T>(ms: number, run: () => Promise<T>) {
      at.clock.advance(ms)
      try {
        return await run()
      } finally {
        at.clock.advance(-ms)
      }
    },
    async close() {
      await proxy.close()
      await at.close()
    },
  } as unknown as World
  return Object.assign(world, {
    direct: makeActor(world, at.baseUrl),
    tampered: makeActor(world, proxy.address),
  })
}
