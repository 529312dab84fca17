import { expect, test } from 'vitest'
import type { Db } from '../../src/db/index.ts'
import { makeDatabaseWorld, writeRows } from './database-world.ts'
import { makeRowModel } from './row-model.ts'
import type { Rows } from './rows.ts'
import { runSchedule, type ScheduleOptions, type ScheduleResult } from './run-schedule.ts'

type Where = Pick<ScheduleOptions, 'open' | 'steps' | 'lookEvery'>

export const onModel: Where = { open: (rows) => Promise.resolve(makeRowModel(rows)) }

/** Shorter schedules: a statement costs a hundred times what it costs in memory. */
export function onDatabase(db: Db): Where {
  async function open(rows: Rows) {
    await writeRows(db, rows)
    return makeDatabaseWorld(db)
  }
  return { open, steps: 150, lookEvery: 25 }
}

/** The seeds of a run, or the one that SIM_SEED names. */
export function seedsOf(kind: string, count: number): readonly string[] {
  const one = process.env['SIM_SEED']
  if (one !== undefined && one !== '') return [one]
  return Array.from({ length: count }, (_, place) => `${kind} ${place + 1}`)
}

/** What a person needs to see what happened, and to see it again. */
export function reportOf({ seed, violation, tail, hash, steps }: ScheduleResult): string {
  const head = `${violation?.invariant ?? 'nothing'} is broken: ${violation?.detail ?? ''}`
  const again = `SIM_SEED='${seed}' plays it again (${steps} steps, trace ${hash.slice(0, 12)})`
  return [head, again, ...tail].join('\n')
}

/** Plays all of them; the first that breaks an invariant fails the test with its seed and the end of its trace. */
export async function playAll(where: () => Where, seeds: readonly string[]): Promise<void> {
  for (const seed of seeds) {
    const result = await runSchedule({ ...where(), seed })
    if (result.violation !== null) expect.fail(reportOf(result))
  }
}

/** A test of so many schedules. */
export function testSchedules(name: string, where: () => Where, seeds: readonly string[]): void {
  test(`${seeds.length} schedules ${name} hold every invariant`, () => playAll(where, seeds))
}
