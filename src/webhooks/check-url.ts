import { isIP } from 'node:net'
import { isLoopbackAddress, isPublicAddress } from '../kernel/index.ts'
import { WebhooksErrors } from './errors.ts'

// RFC 6761 §6.3: names below localhost are this machine. A dot at the end only says that the name is complete.
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

function isLoopback(host: string): boolean {
  return isLocalName(host) || isLoopbackAddress(host)
}

function checkHost(url: URL, allowLoopback: boolean): string | null {
  const host = hostOf(url)
  if (isLoopback(host))
    return allowLoopback ? null : 'addresses of this machine are refused; use a public host name'
  if (url.protocol !== 'https:') return 'must be https'
  if (isIP(host) !== 0 && !isPublicAddress(host)) return 'the address is not public'
  return null
}

/**
 * Why this text cannot be an endpoint's address, or null when it can. https; http only on this machine, when the
 * platform allows it. Names are looked up when something is sent: what they point to is vetted then, each time.
 */
export function checkEndpointUrl(text: string, allowLoopback: boolean): string | null {
  if (!URL.canParse(text)) return 'is not a URL'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be https'
  if (url.username !== '' || url.password !== '') return 'must not carry a user name or password'
  if (url.hash !== '') return 'must not have a fragment'
  return checkHost(url, allowLoopback)
}

/** @throws webhooks.url_refused, with a pointer, for what cannot be an endpoint's address */
export function requireEndpointUrl(url: string, allowLoopback: boolean): void {
  const problem = checkEndpointUrl(url, allowLoopback)
  if (problem === null) return
  throw WebhooksErrors.url_refused(`url ${problem}`, {
    errors: [{ pointer: '/url', code: 'url', message: problem }],
  })
}

/** Whether an accepted endpoint's URL is one of this machine: its owner needs no proof. */
export function isThisMachine(url: string): boolean {
  return isLoopback(hostOf(new URL(url)))
}
