type WebAuthn = typeof import('@simplewebauthn/server') & typeof import('@simplewebauthn/server/helpers')

let loading: Promise<WebAuthn> | null = null

async function load(): Promise<WebAuthn> {
  const [server, helpers] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ])
  return { ...server, ...helpers }
}

/** Loaded at first use: it brings the grammar of every kind of certificate, 340 ms that most starts do not need. */
export function webAuthn(): Promise<WebAuthn> {
  loading ??= load()
  return loading
}
