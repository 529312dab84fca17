import { expect, test, vi } from 'vitest'
import type { Door } from '../../../src/capability/index.ts'
import type { Db } from '../../../src/db/index.ts'
import { makeHostFunctions } from '../../../src/sandbox/host-functions.ts'
import { quietLog } from '../../support/database.ts'

const installation = { appId: 'app_1', merchantId: 'mer_1', installationId: 'ins_1' }

function makeCall(invoke: Door['invoke']) {
  const deps = {
    // The grant is fresh, so it is not read again.
    db: {} as unknown as Db,
    catalog: { hostFunctions: new Map([['order.get', 'order.get_one']]) },
    door: { invoke },
    clock: { nowMs: () => 1_000 },
    log: quietLog,
  }
  return makeHostFunctions(deps, installation, { granted: ['order:read'], bounds: [], epoch: 1 }, 'run_1')
}

test('a host function is the operation that declares it', async () => {
  const invoke = vi.fn<Door['invoke']>(() =>
    Promise.resolve({ status: 200, output: { id: 7 }, replayed: false }),
  )
  expect(await makeCall(invoke)({ name: 'order.get', input: { id: 7 } })).toEqual({
    ok: true,
    value: { id: 7 },
  })
  expect(invoke.mock.calls[0]?.[0]).toBe('order.get_one')
})

test.each(['order.get_one', 'person.delete', '', '__proto__', 'toString'])(
  '%j is none, even where it is the id of an operation: nothing is invoked',
  async (name) => {
    const invoke = vi.fn<Door['invoke']>()
    expect(await makeCall(invoke)({ name, input: null })).toMatchObject({
      ok: false,
      error: { code: 'sandbox.host_function_unknown' },
    })
    expect(invoke).not.toHaveBeenCalled()
  },
)
