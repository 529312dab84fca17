import { sql } from '../../../src/db/index.ts'
import type { Answer } from '../../support/api-client.ts'
import type { TestPlatform } from '../../support/platform.ts'
import { host, type TestApp, type TestMerchant } from '../../support/story.ts'

export interface Installation {
  readonly id: string
  readonly state: string
  readonly versionId: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
}

export interface Delivered {
  readonly event_type: string
  readonly state: string
  readonly text: string
}

export const installationsPath = ({ merchantId }: TestMerchant) =>
  `/merchant/v1/merchants/${merchantId}/installations`

/** What the tests of one app at many merchants do and look at. */
export interface InstallWorld {
  /** Agrees to the app's present version, without options, unless `change` says otherwise. */
  accept(
    merchant: TestMerchant,
    change?: Readonly<Record<string, unknown>>,
  ): Promise<Answer<{ readonly installation: Installation; readonly redirectTo: string | null }>>
  liveOf(merchant: TestMerchant): Promise<readonly Installation[]>
  rows<T extends object>(text: string, ...values: string[]): Promise<T[]>
  /** Types of the merchant's events, in order. */
  eventsOf(merchant: TestMerchant): Promise<readonly string[]>
  deliveriesTo(installationId: string): Promise<Delivered[]>
  /** A paid order with a customer; gives its id. */
  payAnOrder(merchant: TestMerchant): Promise<string>
}

export function makeInstallWorld(at: TestPlatform, app: TestApp): InstallWorld {
  const rows = <T extends object>(text: string, ...values: string[]) => sql<T>(at.db.queries, text, ...values)
  return {
    rows,
    accept(merchant, change = {}) {
      const json = { appId: app.appId, versionId: app.versionId, optionalScopes: [], locale: 'en', ...change }
      return merchant.owner.api.request('POST', installationsPath(merchant), { json })
    },
    async liveOf(merchant) {
      const { api } = merchant.owner
      return (await api.call<{ data: readonly Installation[] }>('GET', installationsPath(merchant))).data
    },
    async eventsOf({ merchantId }) {
      const events = await rows<{ type: string }>(
        'select type from event where merchant_id = $1 order by seq',
        merchantId,
      )
      return events.map(({ type }) => type)
    },
    deliveriesTo: (installationId) =>
      rows(
        `select d.event_type, d.state, b.text from delivery d join body b on b.hash = d.body_hash
         where d.installation_id = $1 order by d.sequence`,
        installationId,
      ),
    async payAnOrder({ merchantId }) {
      const { id } = await at.act<{ id: string }>('order.create', host, {
        merchantId,
        lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }],
        customer: { name: 'Lin Yue' },
      })
      await at.act('order.pay', host, { merchantId, orderId: id })
      return id
    },
  }
}
