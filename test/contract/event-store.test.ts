import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeChance } from '../simulation/chance.ts'
import { makeScene } from '../simulation/scene.ts'
import { testServerUrl } from '../support/database.ts'
import { copyOf, eventStoreContract, openWorlds, type StoreKind } from './event-store.contract.ts'
import { calls, type Draw, draws, outcomeOf } from './store-calls.ts'

const databases: readonly StoreKind[] = testServerUrl() === undefined ? ['pglite'] : ['pglite', 'postgresql']

eventStoreContract('rows in memory')
for (const kind of databases) eventStoreContract(kind)

const unordered = new Set(['listDueStreams', 'listRules'])
const names = Object.keys(calls)

describe.each(databases)('rows in memory and %s', (kind) => {
  let memory: Awaited<ReturnType<typeof openWorlds>>
  let database: Awaited<ReturnType<typeof openWorlds>>
  beforeAll(async () => {
    memory = await openWorlds('rows in memory')
    database = await openWorlds(kind)
  })
  afterAll(() => database.close())

  async function playBoth(list: readonly Draw[]): Promise<void> {
    const [inMemory, inDatabase] = await Promise.all(
      [memory, database].map((worlds) => worlds.open(makeScene(makeChance('property')))),
    )
    if (inMemory === undefined || inDatabase === undefined) throw new Error('both are open')
    for (const draw of list) {
      const name = names[draw.kind % names.length] ?? ''
      const rows = await inMemory.rows()
      const call = calls[name]?.(draw, rows)
      if (call === undefined) throw new Error(`no call ${name}`)
      const expected = await outcomeOf(() => call(inDatabase))
      const actual = await outcomeOf(() => call(inMemory))
      const order = (list: unknown) =>
        unordered.has(name) && Array.isArray(list) ? list.map((one) => JSON.stringify(one)).sort() : list
      expect([name, order(actual)]).toEqual([name, order(expected)])
    }
    const differing = (rows: ReturnType<typeof copyOf>) => ({ ...rows, notice: [] })
    expect(differing(copyOf(await inMemory.rows()))).toEqual(differing(copyOf(await inDatabase.rows())))
  }

  test('give the same answers and hold the same rows after any sequence of calls', async () => {
    await fc.assert(fc.asyncProperty(draws, playBoth), { numRuns: 60, seed: 17 })
  })
})
