import { expect, test } from 'vitest'
import { grantHelpers } from '../../../src/oauth/library.ts'

test('the library still has the helpers of its own grants that ours are made of', () => {
  const used = ['validateDpop', 'checkDpopRequired', 'checkDpopReplay', 'buildTokenResponse'] as const
  for (const name of used) expect(grantHelpers[name], name).toBeTypeOf('function')
})
