import { afterAll, beforeAll } from 'vitest'
import { openWorld, type World } from './world.ts'

/** Opening takes 3 s on an idle machine, and had 60 s of hook timeout used up on one that eight others were using. */
const openingMsMax = 180_000

/** Opens a world before the tests of this file and closes it after them. */
export function useWorld(): () => World {
  let opened: World | null = null
  beforeAll(async () => {
    opened = await openWorld()
  }, openingMsMax)
  afterAll(() => opened?.close())
  return () => {
    if (opened === null) throw new Error('the world is open while tests run')
    return opened
  }
}
