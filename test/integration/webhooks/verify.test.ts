import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { verifyWebhook } from '../../../src/sdk/index.ts'
import { verifyEndpoint } from '../../../src/webhooks/verify-endpoint.ts'
import type { ProblemBody } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import {
  challengeOf,
  type EndpointWorld,
  eventsAmong,
  makeEndpointWorld,
  type WireEndpoint,
} from './endpoint-world.ts'

let at: TestPlatform
let receiver: TestReceiver
let world: EndpointWorld

beforeAll(async () => {
  at = await startTestPlatform()
})
afterAll(() => at.close())
beforeEach(async () => {
  receiver = await startReceiver()
  world = await makeEndpointWorld(at)
})
afterEach(() => receiver.close())

/** An endpoint whose owner is still to be proven. (Here it is one of this machine, which would need no proof.) */
async function unverified(more: object = {}): Promise<WireEndpoint> {
  const endpoint = await world.create(receiver.url, more)
  await world.unverify(endpoint)
  return endpoint
}

interface ChallengeProblem extends ProblemBody {
  readonly failure: string | null
  readonly receivedStatus: number | null
  readonly receivedBody: string | null
}

async function refusal(endpoint: WireEndpoint, code = 422): Promise<ChallengeProblem> {
  const problem = await world.api.refused('POST', `${world.pathOf(endpoint)}:verify`, code)
  return problem as ChallengeProblem
}

const echo = () => receiver.behave((request) => status(200, {}, challengeOf(request)))

describe('a new endpoint', () => {
  test('elsewhere is unverified, and creating it sends nothing', async () => {
    const endpoint = await world.create('https://hooks.example.com/stoa')
    expect(endpoint).toMatchObject({
      state: 'unverified',
      stateReason: null,
      verifiedAt: null,
      pausedAt: null,
    })
  })

  test('on this machine is active at once', async () => {
    expect(await world.create(receiver.url)).toMatchObject({ state: 'active', verifiedAt: null })
    expect(receiver.requests).toHaveLength(0)
  })

  test('gets nothing before it is proven, and then everything since it was made, in order', async () => {
    const endpoint = await unverified()
    await world.pay(3)
    await at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(0)
    echo()
    expect(await world.post(endpoint, 'verify')).toMatchObject({ state: 'active' })
    receiver.behave(status(200))
    await at.platform.events.drainNow()
    const sequences = eventsAmong(receiver.requests).map(({ headers }) => Number(headers['webhook-sequence']))
    expect(sequences.toSorted((a, b) => a - b)).toEqual([1, 2, 3])
  })
})

describe('the challenge', () => {
  test.each(['v1', 'v1a'] as const)('is one signed request that the SDK verifies (%s)', async (signature) => {
    const endpoint = await unverified({ signature })
    echo()
    const verified = await world.post(endpoint, 'verify')
    expect(verified).toMatchObject({ id: endpoint.id, state: 'active' })
    expect(verified.verifiedAt).not.toBeNull()
    const [request, ...more] = receiver.requests
    expect(more).toEqual([])
    if (request === undefined) throw new Error('no challenge')
    const keys = endpoint.secret ?? endpoint.secrets[0]?.publicKey ?? ''
    const { event, id } = await verifyWebhook(request, { keys, nowMs: at.clock.nowMs() })
    expect(id).toMatch(/^chl_/)
    expect(event).toMatchObject({
      ...{ type: 'endpoint.challenge', source: at.baseUrl, subject: endpoint.id, specversion: '1.0' },
      data: { challenge: expect.stringMatching(/^[\w-]{43}$/) as unknown },
    })
  })

  test('is answered by JSON too', async () => {
    const endpoint = await unverified()
    receiver.behave((request) => status(202, {}, JSON.stringify({ challenge: challengeOf(request) })))
    expect(await world.post(endpoint, 'verify')).toMatchObject({ state: 'active' })
  })

  test('answered wrongly: says what came and what to do, and the endpoint stays unverified', async () => {
    const endpoint = await unverified()
    receiver.behave(status(200, {}, '<h1>Welcome</h1>'))
    const problem = await refusal(endpoint)
    expect(problem).toMatchObject({
      ...{ code: 'webhooks.challenge_failed', failure: null },
      ...{ receivedStatus: 200, receivedBody: '<h1>Welcome</h1>' },
    })
    expect(problem.detail).toContain('data.challenge')
    expect(await world.get(endpoint)).toMatchObject({ state: 'unverified', verifiedAt: null })
  })

  test('a server that sends back whatever it gets proves nothing', async () => {
    const endpoint = await unverified()
    receiver.behave(({ body }) => status(200, {}, body))
    expect(await refusal(endpoint)).toMatchObject({ code: 'webhooks.challenge_failed', receivedStatus: 200 })
  })

  test('a redirect is not followed', async () => {
    const endpoint = await unverified()
    receiver.behave((request) => status(302, { location: `${receiver.url}/there` }, challengeOf(request)))
    expect(await refusal(endpoint)).toMatchObject({ failure: 'webhooks.redirect', receivedStatus: 302 })
    expect(receiver.requests).toHaveLength(1)
  })

  test('a receiver that hangs is told of within seconds', async () => {
    const endpoint = await unverified()
    receiver.behave({ kind: 'hang' })
    const startedAtMs = Date.now()
    expect(await refusal(endpoint)).toMatchObject({ failure: 'webhooks.timeout', receivedStatus: null })
    expect(Date.now() - startedAtMs).toBeLessThan(limits.webhookChallengeMs + 5_000)
  })

  test('is sent to one endpoint only so often, however many ask at once', async () => {
    const endpoint = await unverified()
    receiver.behave(status(200, {}, 'no'))
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => world.api.request('POST', `${world.pathOf(endpoint)}:verify`)),
    )
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([422, 429, 429, 429])
    expect(receiver.requests).toHaveLength(1)
    const late = answers.find((answer) => answer.status === 429)
    expect(Number(late?.headers['retry-after'])).toBe(limits.webhookChallengeIntervalMs / 1000)
    // Another setting does not open the door earlier.
    await world.api.call('PATCH', world.pathOf(endpoint), { fifo: true })
    await refusal(endpoint, 429)
    at.clock.advance(limits.webhookChallengeIntervalMs)
    echo()
    expect(await world.post(endpoint, 'verify')).toMatchObject({ state: 'active', fifo: true })
  })

  test('is not sent to an endpoint that is verified, whatever its state', async () => {
    const endpoint = await world.create(receiver.url)
    expect(await world.post(endpoint, 'verify')).toMatchObject({ state: 'active' })
    await world.post(endpoint, 'pause')
    expect(await world.post(endpoint, 'verify')).toMatchObject({ state: 'paused' })
    expect(receiver.requests).toHaveLength(0)
  })

  test('answered by the old URL does not prove the new one', async () => {
    const endpoint = await unverified()
    const { appId, publisher } = world.app
    const search = { appId, endpointId: endpoint.id, nowMs: at.clock.nowMs() }
    const proof = { url: 'http://127.0.0.1:9/old' }
    const late = at.db.tx((tx) => verifyEndpoint(tx, [publisher.publisherId], search, proof))
    await expect(late).rejects.toMatchObject({ code: 'webhooks.challenge_failed' })
    expect(await world.get(endpoint)).toMatchObject({ state: 'unverified' })
  })
})
