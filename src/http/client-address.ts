import type { IncomingMessage } from 'node:http'

/** Whether the proxy at this address, `hop` steps away, is believed. */
export type Trusts = (address: string, hop: number) => boolean

/**
 * Where a request came from: the first address, seen from here, that is no trusted proxy. Express's own rule, for
 * requests to upgrade, which Express never sees. X-Forwarded-For is what its sender likes, up to a proxy that is trusted.
 */
export function clientAddressOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  trusts: Trusts,
): string {
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  const hops = [socket.remoteAddress ?? '', ...forwarded.toReversed()]
  return hops.find((address, hop) => !trusts(address, hop)) ?? hops.at(-1) ?? ''
}
