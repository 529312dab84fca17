import { sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface TotpRow {
  readonly id: string
  /** Sealed. */
  readonly secret: string
  readonly created_at: DbTime
}

export async function findTotp(q: Queries, personId: string): Promise<TotpRow | null> {
  const [row] = await sql<TotpRow>(
    q,
    `select id, secret, created_at from sign_in where person_id = $1 and kind = 'totp'`,
    personId,
  )
  return row ?? null
}

/** False when the person has one already. */
export async function insertTotp(
  tx: Transaction,
  personId: string,
  totp: {
    readonly id: string
    readonly sealedSecret: string
    readonly timeStep: number
    readonly nowMs: number
  },
): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into sign_in (id, person_id, kind, identifier, secret, counter, created_at)
     values ($2, $1, 'totp', $1, $3, $4::bigint, $5) on conflict (kind, identifier) do nothing returning id`,
    personId,
    totp.id,
    totp.sealedSecret,
    totp.timeStep,
    toDate(totp.nowMs),
  )
  return inserted.length > 0
}

/** Uses a time step up; false when it or a later one was used before. The row decides, so that of two at once one is. */
export async function spendTimeStep(
  q: Queries,
  personId: string,
  { timeStep, nowMs }: { readonly timeStep: number; readonly nowMs: number },
): Promise<boolean> {
  const spent = await sql(
    q,
    `update sign_in set counter = $2::bigint, last_used_at = $3
     where person_id = $1 and kind = 'totp' and (counter is null or counter < $2::bigint) returning id`,
    personId,
    timeStep,
    toDate(nowMs),
  )
  return spent.length > 0
}

/** Removes the second factor together with its recovery codes; false when there is none. */
export async function deleteTotp(tx: Transaction, personId: string): Promise<boolean> {
  await tx.recoveryCode.deleteMany({ where: { personId } })
  const { count } = await tx.signIn.deleteMany({ where: { personId, kind: 'totp' } })
  return count > 0
}

/** Puts new codes in the place of what is left of the old ones. */
export async function replaceRecoveryCodes(
  tx: Transaction,
  personId: string,
  { hashes, nowMs }: { readonly hashes: readonly string[]; readonly nowMs: number },
): Promise<void> {
  await tx.recoveryCode.deleteMany({ where: { personId } })
  const createdAt = toDate(nowMs)
  await tx.recoveryCode.createMany({ data: hashes.map((hash) => ({ personId, hash, createdAt })) })
}

/** False when the person has no such code (any more). */
export async function spendRecoveryCode(q: Queries, personId: string, hash: string): Promise<boolean> {
  const spent = await sql(
    q,
    'delete from recovery_code where person_id = $1 and hash = $2 returning hash',
    personId,
    hash,
  )
  return spent.length > 0
}

export async function countRecoveryCodes(q: Queries, personId: string): Promise<number> {
  return q.recoveryCode.count({ where: { personId } })
}
