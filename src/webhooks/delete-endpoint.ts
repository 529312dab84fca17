import { leaveToPull, lockStream } from '../events/index.ts'
import type { Transaction } from '../kernel/index.ts'
import { findEndpoint } from './find-endpoint.ts'
import { deleteEndpointRow } from './store.ts'

/** Ends an endpoint. What it has not got waits to be pulled. @throws webhooks.endpoint_not_found */
export async function deleteEndpoint(
  tx: Transaction,
  publisherIds: readonly string[],
  search: { readonly appId: string; readonly endpointId: string; readonly nowMs: number },
): Promise<void> {
  const endpoint = await findEndpoint(tx, publisherIds, search)
  await lockStream(tx, endpoint.streamId)
  await deleteEndpointRow(tx, endpoint.publisherId, endpoint.id)
  await leaveToPull(tx, endpoint.streamId)
}
