import type { Prisma } from './generated/client.ts'

declare module '../kernel/transaction.ts' {
  /** Prisma's model calls. */
  interface Queries extends Prisma.TransactionClient {}
  interface Transaction {
    /** In types only: what `db.tx()` hands out, and nothing else, may be passed where a Transaction is asked for. */
    readonly onlyFromDbTx: true
  }
}

export type Isolation = 'ReadCommitted' | 'RepeatableRead' | 'Serializable'
