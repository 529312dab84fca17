// The one door to oidc-provider. On Node 20 it prints a warning while its module is evaluated; everything Stoa uses
// runs on 20.19 and later, so that one line is kept quiet. A static import anywhere else would print it.
async function importQuietly(): Promise<typeof import('oidc-provider')> {
  const shared = console
  const warn = shared.warn
  shared.warn = (...words: unknown[]) => {
    if (!String(words[0]).includes('Unsupported runtime')) warn.apply(shared, words)
  }
  try {
    return await import('oidc-provider')
  } finally {
    shared.warn = warn
  }
}

export const { default: Provider, errors, interactionPolicy } = await importQuietly()

/**
 * What the library's own grants are made of, for grants of ours. Not covered by its version promise: the version is
 * pinned, and a test names what is used.
 */
export const grantHelpers = await import('oidc-provider/lib/helpers/grants.js')
