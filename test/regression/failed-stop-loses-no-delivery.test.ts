import { expect, test } from 'vitest'
import type { OutgoingDelivery } from '../../src/events/index.ts'
import type { HttpClient, HttpOutcome } from '../../src/kernel/index.ts'
import { webhookSink } from '../../src/webhooks/index.ts'
import { makeChance } from '../simulation/chance.ts'
import { makeRowModel } from '../simulation/row-model.ts'
import { makeScene, secretKey } from '../simulation/scene.ts'
import { quietLog } from '../support/database.ts'

const gone: HttpOutcome = {
  ...{ kind: 'response', status: 410, headers: {}, body: '', bodyTruncated: false, durationMs: 1 },
}
const delivery: OutgoingDelivery = {
  ...{ id: 'dlv_1', eventId: 'evt_1', eventType: 'order.paid', subject: 'ord_1', merchantId: 'mer_1' },
  ...{ installationId: 'ins_1', appId: 'app_1', streamId: 'str_1', sequence: 1n, attempt: 1, sentAtMs: 0 },
  ...{ replayId: null, thin: false, body: '{}', granted: [], grantEpoch: 1 },
}

test.for([
  { how: 'could not be stopped comes again', fails: true, delayMs: 0 },
  { how: 'has stopped is left to be pulled', fails: false, delayMs: 253_402_214_400_000 - 1_000 },
])('a delivery behind a 410 whose endpoint $how', async ({ fails, delayMs }) => {
  const { endpoints } = makeRowModel(makeScene(makeChance('scene')))
  const away: typeof endpoints.tx = () => Promise.reject(new Error('the database is away'))
  const sink = webhookSink({
    endpoints: fails ? { ...endpoints, tx: away } : endpoints,
    httpClient: { send: () => Promise.resolve(gone), close: () => Promise.resolve() } satisfies HttpClient,
    ...{ secretKey, random: makeChance('ids'), log: quietLog, clock: { nowMs: () => 1_000 } },
  })
  const receiver = await sink.open({ streamId: 'str_1', appId: 'app_1' })
  await receiver?.deliver(delivery).catch(() => undefined)
  const behind = await receiver?.deliver({ ...delivery, id: 'dlv_2', sequence: 2n })
  expect(behind).toMatchObject({ kind: 'deferred', delayMs })
})
