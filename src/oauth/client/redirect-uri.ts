// A port is up to five digits; the address parser refuses those above 65535.
const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/

/**
 * Whether a request may name this redirect URI. Compared as text, except for one thing. RFC 8252 §7.3: "The authorization
 * server MUST allow any port to be specified at the time of the request for loopback IP redirect URIs, to accommodate
 * clients that obtain an available ephemeral port from the operating system at the time of the request."
 */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true
  if (!loopback.test(uri) || !URL.canParse(uri)) return false
  const withoutPort = (text: string) => text.replace(loopback, '$1')
  return registered.some((known) => loopback.test(known) && withoutPort(known) === withoutPort(uri))
}
