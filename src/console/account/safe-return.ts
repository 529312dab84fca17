/** Only a path of our own: anything else would make sign-in an open redirector. */
export function safeReturn(target: string | undefined): string {
  if (target === undefined || !/^\/(?![/\\])/.test(target)) return '/'
  const url = new URL(target, 'http://page.invalid')
  // "/.//host" is a path of ours until its dots are resolved.
  const isOwn = url.host === 'page.invalid' && !url.pathname.startsWith('//')
  return isOwn ? url.pathname + url.search : '/'
}
