import { sql } from '../../db/index.ts'
import { type Queries, toDate } from '../../kernel/index.ts'
import type { OpenedStep, StepKind } from './step.ts'

/**
 * Uses a step up; false when that has happened before. Of several at once one gets the row, the others wait for it.
 * Removes a few that are over, so the table holds about what lives.
 * Across tenants: the step itself says whose it is.
 */
export async function spendStep(
  q: Queries,
  { hash, expiresAtMs }: Pick<OpenedStep<StepKind>, 'hash' | 'expiresAtMs'>,
  nowMs: number,
): Promise<boolean> {
  const spent = await sql(
    q,
    `with over as (
       select hash from spent_step where expires_at <= $3 and hash <> $1 limit 10 for update skip locked
     ), swept as (
       delete from spent_step s using over where s.hash = over.hash
     )
     insert into spent_step (hash, expires_at) values ($1, $2) on conflict (hash) do nothing returning hash`,
    hash,
    toDate(expiresAtMs),
    toDate(nowMs),
  )
  return spent.length > 0
}
