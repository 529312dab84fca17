import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeSandboxPool, type SandboxPool } from '../../../runtime/node/index.ts'
import { type AccessRecord, type Door, makeDoor } from '../../../src/capability/index.ts'
import { execute, makeBoundCounters, sql } from '../../../src/db/index.ts'
import type { Events, Sink } from '../../../src/events/index.ts'
import { sha256Hex, systemRandom } from '../../../src/kernel/index.ts'
import type { VersionView } from '../../../src/registry/index.ts'
import { sandboxSink } from '../../../src/sandbox/index.ts'
import { quietLog } from '../../support/database.ts'
import {
  attemptsOf,
  catalog,
  deliveriesOf,
  type Fixture,
  type Installed,
  openFixture,
  payOrders,
} from '../events/fixture.ts'

let fixture: Fixture
let pool: SandboxPool
const packages = new Map<string, ReadonlyMap<string, Uint8Array>>()
const versions = new Map<string, VersionView | null>()
let records: AccessRecord[] = []

function makeTestDoor({ db, clock }: Fixture, publish: Events['publish']): Door {
  const keep = (record: AccessRecord) => {
    records.push(record)
    return Promise.resolve()
  }
  return makeDoor({
    catalog,
    queries: db.queries,
    runInTransaction: (fn) => db.tx(fn),
    publish,
    recorder: { record: (_tx, record) => keep(record), buffer: keep },
    idempotency: {
      isAnswered: () => Promise.resolve(false),
      claim: () => Promise.resolve('claimed'),
      finish: () => Promise.resolve(),
    },
    boundCounters: makeBoundCounters(),
    checkRules: (caller) => Promise.resolve(caller),
    clock,
    random: systemRandom,
  })
}

beforeAll(async () => {
  fixture = await openFixture()
  pool = await makeSandboxPool({ workers: 1 })
})
afterEach(() => {
  records = []
})
afterAll(async () => {
  await pool.close()
  await fixture.close()
})

function makeSink(events: () => Events, run: SandboxPool['run'] = pool.run): Sink {
  return sandboxSink({
    db: fixture.db,
    catalog,
    door: makeTestDoor(fixture, (tx, event) => events().publish(tx, event)),
    pool: { run },
    clock: fixture.clock,
    random: systemRandom,
    log: quietLog,
    resolveInstalledVersion: (_merchantId, installationId) =>
      Promise.resolve(versions.get(installationId) ?? null),
    readPackageFiles: (sha256) => Promise.resolve(packages.get(sha256) ?? new Map()),
  })
}

/** Events whose sandbox sink runs these handlers. */
function startEvents(run?: SandboxPool['run']): Events {
  const events: Events = fixture.makeEvents({ sandbox: makeSink(() => events, run) })
  return events
}

function release(installed: Installed, source: string | null): void {
  const packageSha256 = sha256Hex(`${installed.installationId} ${source}`)
  packages.set(packageSha256, new Map([['handlers.js', Buffer.from(source ?? '')]]))
  const manifest = source === null ? {} : { stoa_handlers: 'handlers.js' }
  versions.set(installed.installationId, { name: '1.0.0', packageSha256, manifest } as unknown as VersionView)
}

async function deliver(
  source: string | null,
  granted: readonly string[] = ['order:read', 'order:write'],
  events = startEvents(),
) {
  const installed = await fixture.install({ granted, sink: 'sandbox' })
  release(installed, source)
  const [eventId] = await payOrders(fixture, events, installed.merchantId)
  await events.relayNow()
  await events.drainNow()
  const [delivery] = await deliveriesOf(fixture, installed.streamId)
  const [attempt] = await attemptsOf(fixture, installed.streamId)
  return { installed, delivery, attempt, events, eventId }
}

describe('a handler runs', () => {
  test('with the event as it was stored; its result and its log are kept', async () => {
    const { delivery, attempt, eventId } = await deliver(`
      on('order.paid', async (event) => {
        console.log('order', event.data.orderId)
        return { id: event.id, total: event.data.total.amount }
      })`)
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 1 })
    expect(attempt).toMatchObject({ outcome: 'delivered', error: null, status: null })
    expect(JSON.parse(attempt?.response ?? '')).toEqual({ id: eventId, total: 1250 })
    expect(attempt?.log).toMatch(/order ord_/)
  })

  test('as the version that is installed when it runs', async () => {
    const failing = await deliver(`on('order.paid', () => { throw new Error('version 1') })`)
    release(failing.installed, `on('order.paid', () => 'version 2')`)
    fixture.clock.advance(7_000)
    await failing.events.drainNow()
    const attempts = await attemptsOf(fixture, failing.installed.streamId)
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'delivered'])
    expect(attempts[1]?.response).toBe('"version 2"')
  })
})

describe('host calls', () => {
  test('go through the door, for this installation, and are recorded as such', async () => {
    const { installed, attempt } = await deliver(`
      on('order.paid', async (event, stoa) => {
        await stoa.storage.set({ key: 'last', value: event.subject })
        return await stoa.storage.get({ key: 'last' })
      })`)
    expect(attempt?.outcome).toBe('delivered')
    expect(attempt?.response).toContain('ord_')
    const items = await sql<{ key: string; merchant_id: string }>(
      fixture.db.queries,
      'select key, merchant_id from storage_item where installation_id = $1',
      installed.installationId,
    )
    expect(items).toEqual([{ key: 'last', merchant_id: installed.merchantId }])
    const caller = { kind: 'app', appId: installed.appId }
    expect(records).toHaveLength(2)
    for (const record of records)
      expect(record).toMatchObject({ via: 'sandbox', merchantId: installed.merchantId, caller })
  })

  test('beyond the grant are refused with the missing scope, and the refusal is recorded', async () => {
    const { attempt } = await deliver(
      `on('order.paid', async (event, stoa) => {
        try {
          await stoa.order.markShipped({ orderId: event.subject })
        } catch (error) {
          return { code: error.code, missing: error.details.missingScopes }
        }
      })`,
      ['order:read'],
    )
    expect(JSON.parse(attempt?.response ?? '{}')).toEqual({
      code: 'capability.permission_not_granted',
      missing: ['order:write'],
    })
    expect(records).toMatchObject([{ outcome: 'denied', code: 'capability.permission_not_granted' }])
  })

  test('another merchant’s order is as unknown as a missing one', async () => {
    const { attempt } = await deliver(`
      on('order.paid', async (event, stoa) => {
        try { await stoa.order.get({ orderId: 'ord_01JD0000000000000000000009' }) } catch (error) { return error.code }
      })`)
    expect(attempt?.response).toBe('"order.not_found"')
  })

  test('wrong input comes back with pointers', async () => {
    const { attempt } = await deliver(`
      on('order.paid', async (event, stoa) => {
        try { await stoa.order.get({ orderId: 7 }) } catch (error) { return [error.code, error.details.errors[0].pointer] }
      })`)
    expect(JSON.parse(attempt?.response ?? '[]')).toEqual(['capability.invalid_input', '/orderId'])
  })

  test('a refusal that the handler does not catch fails the attempt', async () => {
    const { delivery, attempt } = await deliver(
      `on('order.paid', async (event, stoa) => { await stoa.order.markShipped({ orderId: event.subject }) })`,
      ['order:read'],
    )
    expect(delivery?.state).toBe('waiting')
    expect(attempt?.error).toContain('sandbox.handler_threw')
  })
})

describe('what goes wrong', () => {
  test.each([
    ['throws', `on('order.paid', () => { throw new Error('no printer') })`, 'sandbox.handler_threw'],
    ['does not load', `on('order.paid', (`, 'sandbox.load_failed'],
    ['loops for ever', `on('order.paid', () => { for (;;) {} })`, 'sandbox.fuel_exhausted'],
    ['never settles', `on('order.paid', () => new Promise(() => {}))`, 'sandbox.never_settled'],
    [
      'eats memory',
      `on('order.paid', () => { const a = []; for (;;) a.push(new Array(1e5).fill(1)) })`,
      'sandbox.',
    ],
  ])('a handler that %s is a failed attempt, tried again by the table', async (_what, source, code) => {
    const { delivery, attempt } = await deliver(source)
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 1 })
    expect(attempt?.outcome).toBe('failed')
    expect(attempt?.error).toContain(code)
    const dueInMs = (delivery?.due_at.getTime() ?? 0) - fixture.clock.nowMs()
    expect(dueInMs).toBeLessThanOrEqual(6_000)
  })

  test('no handler for the type is the developer’s choice: delivered, with a note', async () => {
    const { delivery, attempt } = await deliver(`on('order.shipped', () => 1)`)
    expect(delivery?.state).toBe('delivered')
    expect(attempt?.error).toContain('sandbox.handler_missing')
  })

  test('a version without handlers too', async () => {
    const { delivery, attempt } = await deliver(null)
    expect(delivery?.state).toBe('delivered')
    expect(attempt?.error).toContain('sandbox.handler_missing')
  })

  test('without a version that runs it waits for one', async () => {
    const events = startEvents()
    const installed = await fixture.install({ sink: 'sandbox' })
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    await events.drainNow()
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({ state: 'waiting' })
    expect((await attemptsOf(fixture, installed.streamId))[0]?.error).toContain('sandbox.version_missing')
  })

  test('a goodbye to an app that runs nowhere any more ends', async () => {
    const events = startEvents()
    const installed = await fixture.install({ sink: 'sandbox', eventTypes: ['test.goodbye'] })
    const { merchantId, installationId: subject } = installed
    await fixture.db.tx((tx) =>
      events.publish(tx, { type: 'test.goodbye', merchantId, subject, data: { reason: 'removed' } }),
    )
    await events.relayNow()
    await execute(fixture.db.queries, `update installation set state = 'uninstalled' where id = $1`, subject)
    await events.drainNow()
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({ state: 'exhausted' })
    expect((await attemptsOf(fixture, installed.streamId))[0]?.error).toBe('sandbox.installation_gone')
  })

  test('a pool that is full costs no attempt', async () => {
    const full: SandboxPool['run'] = (_program, { runId }) =>
      Promise.resolve({
        runId,
        outcome: { kind: 'failed', code: 'sandbox.pool_full', message: 'full' },
        ...{ logs: '', logsTruncated: false, hostCalls: [], durationMs: 0 },
      })
    const { delivery, attempt } = await deliver(
      `on('order.paid', () => 1)`,
      ['order:read'],
      startEvents(full),
    )
    expect(delivery).toMatchObject({ state: 'pending', attempts: 0 })
    expect(attempt).toBeUndefined()
  })
})

describe('a permission that is withdrawn while a handler runs', () => {
  test('does not last longer than two seconds', async () => {
    // The handler's first call moves the clock on and withdraws everything; the second must not pass any more.
    const events = startEvents()
    const installed = await fixture.install({ granted: ['order:read'], sink: 'sandbox' })
    release(
      installed,
      `on('order.paid', async (event, stoa) => {
        await stoa.storage.set({ key: 'a', value: 1 })
        for (let i = 0; i < 50; i += 1) {
          try { await stoa.storage.get({ key: 'a' }) } catch (error) { return error.code }
        }
        return 'never refused'
      })`,
    )
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    const draining = events.drainNow()
    while (records.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await execute(
      fixture.db.queries,
      `update installation set state = 'uninstalled' where id = $1`,
      installed.installationId,
    )
    fixture.clock.advance(2_100)
    await draining
    const [attempt] = await attemptsOf(fixture, installed.streamId)
    expect(attempt?.response).toBe('"sandbox.installation_gone"')
  })
})
