import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Actor } from './actor.ts'
import { type ClauseId, clauses } from './clauses.ts'
import type { Mutation } from './tampering-proxy.ts'
import { openWorld, type World } from './world.ts'

/**
 * The test of a clause. What the clause is about goes through `at`; `direct` prepares and looks, and is never tampered
 * with. Without a fault it passes at the server itself; through a proxy with the mutation it must fail by an assertion.
 */
export interface ClauseCase {
  test(at: Actor, direct: Actor): Promise<void>
  readonly mutation: Mutation
}

export type Cases = Readonly<Partial<Record<ClauseId, ClauseCase>>>

async function failureOf(run: () => Promise<void>): Promise<unknown> {
  try {
    await run()
    return null
  } catch (error) {
    return error
  }
}

/** Registers the tests of some clauses, and for each that it can fail. */
export function runCases(cases: Cases): void {
  let world: World
  beforeAll(async () => {
    world = await openWorld()
  })
  afterAll(() => world.close())

  const listed = clauses.flatMap((clause) => {
    const found = cases[clause.id as ClauseId]
    return found === undefined ? [] : [{ ...clause, ...found }]
  })
  for (const clause of listed) {
    test(`${clause.id}: ${clause.stoa}`, () => clause.test(world.direct, world.direct))
  }
  describe('a server that breaks it fails the test of', () => {
    for (const clause of listed) {
      test(`${clause.id}: ${clause.mutation.what}`, async () => {
        world.proxy.apply(clause.mutation)
        const failure = await failureOf(() => clause.test(world.tampered, world.direct))
        if (failure instanceof Error && failure.name !== 'AssertionError')
          throw new Error('the test did not fail by an assertion', { cause: failure })
        expect(failure, 'the test passes all the same').not.toBeNull()
        expect(world.proxy.changes(), 'exchanges that the mutation changed').toBeGreaterThan(0)
      })
    }
  })
}
