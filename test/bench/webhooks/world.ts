import { sql } from '../../../src/db/index.ts'
import type { Events } from '../../../src/events/index.ts'
import { makeQueue, type Queue } from '../../../src/queue/index.ts'
import { type Fixture, type Installed, openFixture, orderData } from '../../integration/events/fixture.ts'
import { quietLog } from '../../support/database.ts'
import type { Place } from '../places.ts'
import type { Post } from './bare-loop.ts'

/** A fresh database with one merchant; closing it removes it. */
export interface World {
  readonly fixture: Fixture
  readonly merchantId: string
  /** Apps of this merchant with an endpoint each, which hear of paid orders. */
  addEndpoints(urls: readonly string[]): Promise<readonly Installed[]>
  openQueue(): Queue
  close(): Promise<void>
}

/** Opens a world on the place. */
export async function openWorld({ kind, redisUrl }: Place): Promise<World> {
  const fixture = await openFixture({ kind })
  const merchantId = await fixture.addMerchant()
  return {
    fixture,
    merchantId,
    async addEndpoints(urls) {
      const all: Installed[] = []
      for (const url of urls) {
        const installed = await fixture.install({ merchantId })
        await fixture.addEndpoint(installed, url)
        all.push(installed)
      }
      return all
    },
    openQueue: () => makeQueue({ db: fixture.db, log: quietLog, redisUrl, prefix: `bench${process.pid}` }),
    close: () => fixture.close(),
  }
}

/** Writes `count` paid orders into the outbox in one statement. */
export async function fillOutbox({ fixture, merchantId }: World, count: number, tag: string): Promise<void> {
  await sql(
    fixture.db.queries,
    `insert into event (id, source, external_id, type, version, merchant_id, subject, data, occurred_at, created_at)
     select 'evt_' || $2 || n, '/bench', $2 || n, 'order.paid', 1, $1, 'ord_' || $2 || n,
       replace($4, 'ORDER', 'ord_' || $2 || n), now(), now()
     from generate_series(1, $3::int) n`,
    merchantId,
    tag,
    count,
    JSON.stringify(orderData('ORDER')),
  )
}

/** The bodies that a stream's deliveries carry. */
export async function postsOf({ fixture }: World, { streamId }: Installed): Promise<readonly Post[]> {
  const rows = await sql<{ event_id: string; text: string }>(
    fixture.db.queries,
    `select d.event_id, b.text from delivery d join body b on b.hash = d.body_hash where d.stream_id = $1`,
    streamId,
  )
  return rows.map(({ event_id, text }) => ({ eventId: event_id, body: text }))
}

/** How many attempts have been recorded. */
export async function recorded({ fixture }: World): Promise<number> {
  const [row] = await sql<{ count: bigint }>(fixture.db.queries, 'select count(*) from attempt')
  return Number(row?.count ?? 0)
}

/** Whether nothing waits to be relayed or sent. */
export async function isIdle({ fixture }: World): Promise<boolean> {
  const [row] = await sql<{ idle: boolean }>(
    fixture.db.queries,
    `select not exists (select 1 from event where relayed_at is null)
       and not exists (select 1 from delivery where state in ('pending', 'waiting')) as idle`,
  )
  return row?.idle === true
}

/** Publishes one paid order as the order capability does; the receiver reads the time from its external id. */
export async function publishOne({ fixture, merchantId }: World, events: Events): Promise<void> {
  const data = { ...orderData('ord_01J00000000000000000000000'), externalId: String(Date.now()) }
  const event = { type: 'order.paid', merchantId, subject: 'ord_01J00000000000000000000000', data }
  await fixture.db.tx((tx) => events.publish(tx, event))
}
