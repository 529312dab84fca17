import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packFiles } from '../../../runtime/node/index.ts'
import { execute } from '../../../src/db/index.ts'
import type { ProblemBody } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeStory, redirectUri, type Story, type TestApp, type TestPublisher } from '../../support/story.ts'
import { makeInstallWorld } from './world.ts'

let at: TestPlatform
let story: Story
let publisher: TestPublisher
let app: TestApp

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  publisher = await story.publisher()
  app = await story.publish(publisher, {
    manifest: { required: ['order:read'], optional: ['customer:read'], events: ['order.paid'] },
  })
})
afterAll(() => at.close())

const purpose = { en: 'To print it' }

function upload(manifest: object) {
  const whole = {
    ...{ app_id: 'com.example.test', name: 'Printer', icons: [], pages: [] },
    ...{ platform_version: { min_code: 1 }, version: { code: 7, name: '1.0.7' } },
    stoa_redirect_uris: [redirectUri],
    ...manifest,
  }
  return packFiles(new Map([['manifest.json', JSON.stringify(whole)]])).then((raw) =>
    publisher.owner.api.request<ProblemBody & { readonly errors: readonly { readonly fix?: string }[] }>(
      'POST',
      `/developer/v1/apps/${app.appId}/versions`,
      { raw, headers: { 'content-type': 'application/zip' } },
    ),
  )
}

describe('a manifest whose event could never be delivered is refused at upload', () => {
  test('when its scope is asked for neither as required nor as optional: where, and what to add', async () => {
    await leavingNothing(at, async () => {
      const { status, body } = await upload({
        stoa_scopes: { required: [{ name: 'customer:read', purpose }] },
        stoa_events: [
          { type: 'app.installed', version: 1 },
          { type: 'order.paid', version: 1 },
        ],
      })
      expect(status).toBe(422)
      expect(body.errors).toEqual([
        expect.objectContaining({
          pointer: '/stoa_events/1/type',
          code: 'package.event_scope_missing',
          fix: 'Add order:read to stoa_scopes, required or optional.',
        }),
      ])
    })
  })

  test('when it pins a version that this platform does not publish', async () => {
    const { status, body } = await upload({
      stoa_scopes: { required: [{ name: 'order:read', purpose }] },
      stoa_events: [{ type: 'order.paid', version: 2 }],
    })
    expect([status, body.errors?.[0]]).toEqual([
      422,
      expect.objectContaining({
        pointer: '/stoa_events/0/version',
        code: 'package.event_version_unknown',
        fix: 'Pin version 1.',
      }),
    ])
  })
})

describe('a version from before the platform’s event types changed', () => {
  const declare = (manifest: string) =>
    execute(
      at.db.queries,
      `update version set manifest = manifest || $2::jsonb where id = $1`,
      app.versionId,
      manifest,
    )

  test.each([
    [
      'an event type that is gone',
      { stoa_events: [{ type: 'order.lost', version: 1 }] },
      'there is no event type order.lost',
    ],
    [
      'an older version',
      { stoa_events: [{ type: 'order.paid', version: 9 }] },
      'order.paid has no version 9, only 1',
    ],
    [
      'a scope that the event needs by now',
      { stoa_events: [{ type: 'order.paid', version: 1 }], stoa_scopes: { required: [] } },
      'order.paid needs order:read, which the app does not ask for',
    ],
  ])('with %s is not installed in silence', async (_what, manifest, detail) => {
    const merchant = await story.merchant()
    await declare(JSON.stringify(manifest))
    await leavingNothing(at, async () => {
      const { status, body } = await makeInstallWorld(at, app).accept(merchant)
      const problem = body as unknown as ProblemBody
      expect([status, problem.code, problem.detail]).toEqual([409, 'install.event_undeliverable', detail])
    })
  })

  test('that fits again is installed, and an optional scope that was refused makes no subscription', async () => {
    await declare(
      JSON.stringify({
        stoa_events: [{ type: 'order.paid', version: 1 }],
        stoa_scopes: { optional: [{ name: 'order:read', purpose }] },
      }),
    )
    const world = makeInstallWorld(at, app)
    const merchant = await story.merchant()
    expect((await world.accept(merchant)).status).toBe(201)
    const subscriptions = () =>
      world.rows<{ event_type: string }>(
        'select event_type from subscription where merchant_id = $1 and ended_at is null',
        merchant.merchantId,
      )
    expect(await subscriptions()).toEqual([])
    expect((await world.accept(merchant, { optionalScopes: ['order:read'] })).status).toBe(201)
    expect(await subscriptions()).toEqual([{ event_type: 'order.paid' }])
  })
})
