import type { KoaContextWithOIDC, Provider as ProviderType } from 'oidc-provider'

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

/** What a DPoP proof of a token request says, as far as it is used here. */
interface TokenRequestProof {
  readonly thumbprint: string
}

/** The pieces of a grant that the library's own handlers are made of, as far as they are used here. */
interface GrantHelpers {
  /** Checks the proof once per request; undefined: none was sent. */
  validateDpop(provider: ProviderType, ctx: KoaContextWithOIDC): Promise<TokenRequestProof | undefined>
  checkDpopRequired(
    provider: ProviderType,
    ctx: KoaContextWithOIDC,
    proof: TokenRequestProof | undefined,
    refusal?: unknown,
  ): void
  checkDpopReplay(
    provider: ProviderType,
    ctx: KoaContextWithOIDC,
    proof: TokenRequestProof | undefined,
    clientId: string,
    refusal?: unknown,
  ): Promise<void>
  buildTokenResponse(
    provider: ProviderType,
    answer: Readonly<Record<string, unknown>>,
  ): Record<string, unknown>
}

// Not part of the library's public face, which has nothing for answers that its own handlers did not make; the version is
// pinned, and a test names what is used.
// @ts-expect-error: the inside of the library has no types
export const grantHelpers: GrantHelpers = await import('oidc-provider/lib/helpers/grants.js')
