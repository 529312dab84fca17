import { BlockList, isIPv4, isIPv6 } from 'node:net'

// IANA's special-purpose registries (RFC 6890 and updates): everything here is not the public internet.
const ipv4Special: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // In no registry, but in every Azure machine the way to its own host.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

// Inside 2000::/3 (the only global unicast space) these lead elsewhere: Teredo and other IETF assignments,
// documentation, 6to4 (which can embed a private IPv4 address).
const ipv6Special: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

function blockList(subnets: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, family)
  return list
}

const special4 = blockList(ipv4Special, 'ipv4')
const special6 = blockList(ipv6Special, 'ipv6')
// RFC 5214 §6.1: an interface identifier 0000:5efe or 0200:5efe and an IPv4 address lead a packet to that address.
const isatap = /^[\da-f:]*:(0|200):5efe:[\da-f]{1,4}:[\da-f]{1,4}$/

const global6 = blockList([['2000::', 3]], 'ipv6')
const loopback = blockList([['127.0.0.0', 8]], 'ipv4')

/** All eight groups, without leading zeros: what patterns can be held against. */
function plain6(address: string): string {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  if (tail === undefined) return head
  const [left, right] = [groups(head), groups(tail)]
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right].join(':')
}

/** 127.0.0.0/8 or ::1, in plain notation. */
export function isLoopbackAddress(address: string): boolean {
  return isIPv4(address) ? loopback.check(address) : address === '::1'
}

/**
 * Whether an IP address is on the public internet. IPv4-mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96), link-local,
 * unique local and every other IPv6 address outside 2000::/3 are not.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special4.check(address)
  // An address with a zone (fe80::1%eth0) belongs to one link.
  if (!isIPv6(address) || address.includes('%')) return false
  return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6') && !isatap.test(plain6(address))
}

/**
 * The first of a name's addresses that may not be connected to, or null. One is enough to refuse the name: whoever
 * mixes public and private answers wants one to be vetted and another to be used.
 */
export function findRefusedAddress(addresses: readonly string[], allowLoopback: boolean): string | null {
  const isAllowed = (address: string) =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address))
  return addresses.find((address) => !isAllowed(address)) ?? null
}
