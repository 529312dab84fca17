import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** Names that mean something inside a network (RFC 6761, RFC 6762, RFC 8375, ICANN's “internal”) or no host at all. */
const innerDomains = ['localhost', 'local', 'internal', 'arpa', 'onion', 'invalid']

/** Egress hosts are public host names, written as DNS compares them. */
export const egressHostsAreLegal: ManifestCheck = ({ egressHosts }) => {
  return egressHosts.flatMap(({ value, pointer }) => {
    const reason = whyIllegal(value)
    if (reason === null) return []
    return [makeProblem('package.egress_host_illegal', `${quote(value)} ${reason}.`, { pointer })]
  })
}

function whyIllegal(host: string): string | null {
  const labels = host.split('.')
  const last = labels.at(-1) ?? ''
  if (host.includes('*')) return 'is a wildcard'
  if (host !== host.toLowerCase()) return 'is not in lower case'
  // The URL standard takes a name whose last label is a number for an IPv4 address.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last) || host.includes(':') || host.startsWith('[')) {
    return 'is an address or has a port'
  }
  if (!labels.every((part) => label.test(part))) return 'is not a host name'
  if (labels.length < 2 || innerDomains.includes(last)) return 'is not a public host name'
  return null
}
