import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import type { SinkKind } from './sink.ts'
import { findAppStream, insertAppStream, lockApp } from './store.ts'

/** The id of the app's own stream for this sink, made when it is not there yet. */
export async function ensureAppStream(
  tx: Transaction,
  { appId, sink }: { readonly appId: string; readonly sink: SinkKind },
  ids: IdSource,
): Promise<string> {
  const known = await findAppStream(tx, appId, sink)
  if (known !== null) return known
  // Two first installs at once: the second waits here and then finds what the first has committed.
  await lockApp(tx, appId)
  const meanwhile = await findAppStream(tx, appId, sink)
  if (meanwhile !== null) return meanwhile
  const id = newId('stream', ids)
  await insertAppStream(tx, appId, { id, sink, nowMs: ids.clock.nowMs() })
  return id
}
