import { isIP } from 'node:net'

/** The platform as browsers and authenticators know it. */
export interface RelyingParty {
  /** The host name; a passkey made for it is good nowhere else. */
  readonly id: string
  readonly origin: string
}

/**
 * Null where there can be no passkeys. WebAuthn §5.1.3 compares the RP ID with the effective domain, which must be "a
 * valid domain string": an IP address is none.
 */
export function relyingPartyOf(publicUrl: string): RelyingParty | null {
  const { hostname, origin } = new URL(publicUrl)
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { id: hostname, origin } : null
}
