import { type Queries, type Transaction, toDate } from '../kernel/index.ts'
import { execute, sql } from './sql.ts'

interface Owner {
  readonly merchantId: string
  readonly installationId: string
}

interface Charge {
  readonly key: string
  readonly amount: number
  readonly limit: number
  readonly expiresAtMs: number | null
}

/** One conditional statement: the row's lock makes two at once, on whatever nodes, come one after the other. */
async function add(tx: Transaction, owner: Owner, charge: Charge): Promise<boolean> {
  const rows = await sql(
    tx,
    `insert into bound_use as u (merchant_id, installation_id, key, used, expires_at)
     select $1, $2, $3, $4::bigint, $6::timestamptz where $4::bigint <= $5::bigint
     on conflict (merchant_id, installation_id, key) do update set used = u.used + excluded.used
       where u.used + excluded.used <= $5::bigint
     returning key`,
    owner.merchantId,
    owner.installationId,
    charge.key,
    BigInt(charge.amount),
    BigInt(charge.limit),
    charge.expiresAtMs === null ? null : toDate(charge.expiresAtMs),
  )
  return rows.length > 0
}

async function leftOf(tx: Transaction, owner: Owner, { key, limit }: Charge): Promise<number> {
  const [row] = await sql<{ used: bigint }>(
    tx,
    'select used from bound_use where merchant_id = $1 and installation_id = $2 and key = $3',
    owner.merchantId,
    owner.installationId,
    key,
  )
  return Math.max(0, limit - Number(row?.used ?? 0n))
}

/** The counters of what installations have used of their bounds. */
export function makeBoundCounters() {
  return {
    async spend(tx: Transaction, owner: Owner, charges: readonly Charge[]) {
      // In one order everywhere, or two calls could wait for each other.
      for (const charge of charges.toSorted((one, other) => (one.key < other.key ? -1 : 1))) {
        if (!(await add(tx, owner, charge))) return { charge, left: await leftOf(tx, owner, charge) }
      }
      return null
    },
  }
}

/** Forgets what an installation has used of its bounds. */
export async function removeCountersOf(tx: Transaction, owner: Owner): Promise<void> {
  const { merchantId, installationId } = owner
  await execute(
    tx,
    'delete from bound_use where merchant_id = $1 and installation_id = $2',
    merchantId,
    installationId,
  )
}

/** Forgets counters to which nothing can be added any more. Across tenants: every installation's. */
export async function removeOldCounters(q: Queries, nowMs: number): Promise<void> {
  await execute(q, 'delete from bound_use where expires_at <= $1', toDate(nowMs))
}
