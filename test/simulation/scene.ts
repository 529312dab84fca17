import { defineEventType, type EventType, schema } from '../../src/capability/index.ts'
import type { EventCatalog } from '../../src/events/fan-out.ts'
import { deriveKey, seededRandom } from '../../src/kernel/index.ts'
import { mintSecret, sealSecret } from '../../src/webhooks/secret.ts'
import type { Chance } from './chance.ts'
import { emptyRows, type Row, type Rows } from './rows.ts'

// Where every schedule begins: two apps with an endpoint each, two merchants, three installations.

export const publicUrl = 'https://platform.example'
export const secretKey = deriveKey('a secret key of the simulation', 'webhook-secrets')

const text = schema.optional(schema.string({ maxLength: 40 }))
const orderPaid: EventType = defineEventType({
  ...{ type: 'order.paid', version: 1, subject: 'The order’s id', scope: 'order:read' },
  summary: { en: 'An order was paid', 'zh-CN': '订单已付款' },
  data: schema.object({ note: text, customer: text }),
  fieldScopes: { customer: 'customer:read' },
  example: {},
})
export const catalog: EventCatalog = {
  eventTypes: new Map([[orderPaid.type, orderPaid]]),
  scopes: new Map([
    ['order:read', { sensitivity: 'basic' }],
    ['customer:read', { sensitivity: 'private' }],
  ]),
}
/** What every body shows whose receiver may know the customer. */
export const customer = 'Lin Yue'
export const everyScope: readonly string[] = ['customer:read', 'order:read']
export const merchantIds = ['mer_1', 'mer_2'] as const
export const subjects = ['ord_1', 'ord_2'] as const

const secret = mintSecret(seededRandom('scene'))
const sealed = [1, 2].map((number) => sealSecret(secretKey, `esc_${number}`, secret))

function addApp(
  rows: Rows,
  number: number,
  settings: Pick<Row<'endpoint'>, 'fifo' | 'rate_per_second'>,
): void {
  const appId = `app_${number}`
  const ids = { app_id: appId, stream_id: `str_${number}` }
  rows.app.set(appId, { id: appId, publisher_id: 'pub_1', name: `App ${number}`, archived_at: null })
  rows.stream.set(ids.stream_id, {
    ...{ id: ids.stream_id, app_id: appId, sink: 'backend', next_sequence: 1, paused_at: null },
    ...{ lease_owner: null, lease_until: null, lease_epoch: 0 },
  })
  rows.endpoint.set(`end_${number}`, {
    ...{
      id: `end_${number}`,
      publisher_id: 'pub_1',
      ...ids,
      url: `https://receiver.example/${ids.stream_id}`,
    },
    ...{ state: 'active', state_reason: null, start_sequence: 1, ...settings },
    ...{ last_success_at: null, failing_since: null, paused_at: null, probe_at: null, probe_failures: 0 },
  })
  rows.endpoint_secret.set(`esc_${number}`, {
    ...{ id: `esc_${number}`, endpoint_id: `end_${number}`, sealed: sealed[number - 1] ?? '' },
    ...{ created_at: 0, expires_at: null },
  })
}

function addInstallation(rows: Rows, number: number, appNumber: number, merchantId: string): void {
  const id = `ins_${number}`
  const ids = { merchant_id: merchantId, app_id: `app_${appNumber}` }
  rows.installation.set(id, { id, ...ids, state: 'active' })
  rows.grant.set(`grt_${number}`, {
    ...{ id: `grt_${number}`, installation_id: id, ...ids, granted: everyScope, epoch: 1, revoked_at: null },
  })
  rows.subscription.set(`sub_${number}`, {
    ...{ id: `sub_${number}`, installation_id: id, ...ids, stream_id: `str_${appNumber}`, ended_at: null },
    ...{ event_type: orderPaid.type, event_version: orderPaid.version },
  })
}

/** The rows of a schedule's beginning; the settings of the endpoints are left to chance. */
export function makeScene(chance: Chance): Rows {
  const rows = emptyRows()
  const settings = (fifo: boolean) => ({ fifo, rate_per_second: chance.pick([null, null, null, 3]) })
  addApp(rows, 1, settings(true))
  addApp(rows, 2, settings(chance.is(0.5)))
  addInstallation(rows, 1, 1, merchantIds[0])
  addInstallation(rows, 2, 1, merchantIds[1])
  addInstallation(rows, 3, 2, merchantIds[0])
  return rows
}
