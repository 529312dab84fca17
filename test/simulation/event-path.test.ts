import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { onDatabase, onModel, playAll, reportOf, seedsOf, testSchedules } from './play.ts'
import { runSchedule } from './run-schedule.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase({ kind: 'pglite' })
})
afterAll(() => database.close())

testSchedules('on the row model', () => onModel, seedsOf('model', 300))
testSchedules('on PGlite', () => onDatabase(database.db), seedsOf('pglite', 15))

test('the same seed plays the same schedule, on the row model and on PGlite', async () => {
  for (const where of [onModel, onDatabase(database.db)]) {
    const first = await runSchedule({ ...where, seed: 'twice' })
    await playAll(() => where, ['in between'])
    const second = await runSchedule({ ...where, seed: 'twice' })
    expect(second).toEqual(first)
    expect(first.steps).toBeGreaterThan(100)
  }
})

test('a failing schedule names its invariant, its seed and its last steps', () => {
  const report = reportOf({
    ...{ seed: 'model 7', hash: 'abcdef0123456789', tail: ['12 p1 listDue'], steps: 40 },
    violation: { invariant: 'same-bytes', detail: 'str_1 4' },
  })
  expect(report).toContain('same-bytes is broken: str_1 4')
  expect(report).toContain(`SIM_SEED='model 7'`)
  expect(report).toContain('12 p1 listDue')
})
