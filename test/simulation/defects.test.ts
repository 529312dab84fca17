import { expect, test } from 'vitest'
import { defects } from './defects.ts'
import { onModel, reportOf } from './play.ts'
import { runSchedule, type ScheduleResult } from './run-schedule.ts'

const schedulesMax = 300

test.for(defects)('found: $name', async (defect) => {
  const play = (seed: string) => runSchedule({ ...onModel, seed, defect })
  let found: ScheduleResult | null = null
  for (let place = 1; place <= schedulesMax && found === null; place += 1) {
    const result = await play(`defect ${place}`)
    if (result.violation !== null) found = result
  }
  expect(found?.violation?.invariant, found === null ? 'nobody noticed' : reportOf(found)).toBe(
    defect.invariant,
  )
  // The printed seed fails again, step by step.
  expect(await play(found?.seed ?? '')).toEqual(found)
})
