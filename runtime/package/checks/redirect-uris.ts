import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** RFC 8252 §7.3 and §8.3: loopback by address; “localhost” by name may resolve to something else. */
const loopbackHosts = ['127.0.0.1', '[::1]']

const dottedName = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/
const bracketed = /^\[[0-9a-f:.]+\]$/

/** Redirect URIs are addresses that an authorization code may be sent to. */
export const redirectUrisAreLegal: ManifestCheck = ({ redirectUris }) => {
  return redirectUris.flatMap(({ value, pointer }) => {
    const reason = whyIllegal(value)
    if (reason === null) return []
    return [makeProblem('package.redirect_uri_illegal', `${quote(value)} ${reason}.`, { pointer })]
  })
}

function whyIllegal(text: string): string | null {
  const url = parse(text)
  if (url === null) return 'is not an absolute URL'
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is neither https nor http'
  // RFC 6749 §3.1.2: "The endpoint URI MUST NOT include a fragment component." Also not an empty one.
  if (text.includes('#')) return 'has a fragment'
  if (url.username !== '' || url.password !== '') return 'has a user name or password'
  if (url.protocol === 'http:' && !loopbackHosts.includes(url.hostname)) {
    return 'is http on another host than 127.0.0.1 or [::1]'
  }
  if (!dottedName.test(url.hostname) && !bracketed.test(url.hostname)) return 'has an illegal host name'
  // RFC 9700 §2.1 asks for exact string matching; an address that browsers rewrite would never match itself.
  if (text !== url.href && `${text}/` !== url.href)
    return `is not in normal form, which is ${quote(url.href)}`
  return null
}

function parse(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}
