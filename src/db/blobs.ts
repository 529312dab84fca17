import { limits, type Queries, sha256Hex, type Transaction, toDate } from '../kernel/index.ts'
import { DbErrors } from './errors.ts'
import { bindingOf } from './executor.ts'
import { execute, sql } from './sql.ts'

/**
 * Keeps bytes by their SHA-256 and returns it in lower-case hex. The same bytes are kept once.
 * @throws db.blob_too_large above `limits.packageBytesMax`
 */
export async function putBlob(tx: Transaction, bytes: Uint8Array): Promise<string> {
  if (bytes.byteLength > limits.packageBytesMax) {
    throw DbErrors.blob_too_large(`${bytes.byteLength} bytes are more than ${limits.packageBytesMax}.`)
  }
  const sha256 = sha256Hex(bytes)
  const { clock } = bindingOf(tx)
  await execute(
    tx,
    `insert into blob (sha256, bytes, size_bytes, created_at) values ($1, $2, $3, $4) on conflict (sha256) do nothing`,
    sha256,
    bytes,
    bytes.byteLength,
    toDate(clock.nowMs()),
  )
  return sha256
}

/** The bytes with this SHA-256 (lower-case hex), or null. */
export async function getBlob(q: Queries, sha256: string): Promise<Uint8Array | null> {
  const [row] = await sql<{ bytes: Uint8Array }>(q, 'select bytes from blob where sha256 = $1', sha256)
  return row?.bytes ?? null
}
