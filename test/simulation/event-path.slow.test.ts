import { afterAll, beforeAll } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { onDatabase, onModel, seedsOf, testSchedules } from './play.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase({ kind: 'pglite' })
})
afterAll(() => database.close())

testSchedules('on the row model', () => onModel, seedsOf('long model', 10_000))
testSchedules('on PGlite', () => onDatabase(database.db), seedsOf('long pglite', 500))
