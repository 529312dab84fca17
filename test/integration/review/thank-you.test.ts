import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type HostCall,
  type HostReply,
  type Json,
  makeSandboxPool,
  type Program,
  type SandboxPool,
} from '../../../runtime/node/index.ts'
import { sha256Hex } from '../../../src/kernel/index.ts'

let pool: SandboxPool
let program: Program
beforeAll(async () => {
  pool = await makeSandboxPool({ workers: 1 })
  const source = await readFile('examples/thank-you/handlers.js', 'utf8')
  const hostFunctions = ['order.get', 'storage.get', 'storage.set']
  program = { id: sha256Hex(source), source, fileName: 'handlers.js', hostFunctions }
})
afterAll(() => pool.close())

const total = { amount: 2500, currency: 'CNY' }
const limits = {
  memoryBytesMax: 32 * 1024 * 1024,
  fuelMax: 50_000_000,
  wallMsMax: 5_000,
  hostCallsMax: 10,
  logBytesMax: 1024,
  resultBytesMax: 1024,
}

/** A merchant as the example sees it. */
function makeMerchant() {
  const stored = new Map<string, Json>()
  const answer = ({ name, input }: HostCall): HostReply => {
    const given = input as { readonly orderId: string; readonly key: string; readonly value: Json }
    if (name === 'order.get') return { ok: true, value: { id: given.orderId, total } }
    if (name === 'storage.set') stored.set(given.key, given.value)
    const value = stored.get(given.key)
    if (value === undefined)
      return { ok: false, error: { code: 'storage.not_found', message: 'Nothing is stored' } }
    return { ok: true, value: { key: given.key, value } }
  }
  const paid = (orderId: string) =>
    pool.run(
      program,
      {
        runId: 'run_1',
        entry: { kind: 'event', type: 'order.paid' },
        payload: { type: 'order.paid', subject: orderId, data: { orderId } },
        seed: 'seed',
        nowMs: 1_750_000_000_000,
        limits,
      },
      (call) => Promise.resolve(answer(call)),
    )
  return { stored, paid }
}

test('the example counts each paid order once', async () => {
  const { stored, paid } = makeMerchant()
  const first = await paid('ord_1')
  expect(first.outcome).toMatchObject({ kind: 'completed', value: { orders: 1, lastOrderId: 'ord_1' } })
  expect(first.logs).toContain('ord_1')
  await paid('ord_1')
  await paid('ord_2')
  expect(stored.get('thanks')).toEqual({ orders: 2, lastOrderId: 'ord_2', lastTotal: total })
})
