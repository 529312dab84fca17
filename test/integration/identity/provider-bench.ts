import type { ProviderConfig } from '../../../src/config-provider.ts'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  type ProviderAccount,
  startIdentityProvider,
} from '../../support/identity-provider.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import type { PageAnswer, TestBrowser } from '../../support/test-browser.ts'

const groupRoles: ProviderConfig['groupRoles'] = [
  { group: 'reviewers', gives: { kind: 'platform', role: 'reviewer' } },
  { group: 'operators', gives: { kind: 'platform', role: 'operator' } },
  { group: 'shop-*-owners', gives: { kind: 'merchant', merchant: '*', role: 'owner' } },
  { group: 'shop-*-staff', gives: { kind: 'merchant', merchant: '*', role: 'staff' } },
]

export interface Me {
  readonly id: string
  readonly email: string | null
  readonly displayName: string
  readonly locale: string
  readonly platformRoles: readonly string[]
  readonly merchants: readonly { readonly merchantId: string; readonly role: string }[]
}

/** A platform whose people may sign in at a provider of their own. */
export interface ProviderBench {
  readonly at: TestPlatform
  readonly provider: IdentityProvider
  /** There and back: up to the address that brings the browser home. */
  outAndBack(browser: TestBrowser, as: ProviderAccount | null, query?: string): Promise<URL>
  signIn(
    as: ProviderAccount,
    query?: string,
  ): Promise<{ readonly browser: TestBrowser; readonly answer: PageAnswer }>
  /** Who is signed in there. */
  meOf(browser: TestBrowser): Promise<Me | null>
  close(): Promise<void>
}

export interface ProviderBenchOptions extends IdentityProviderOptions {
  readonly linkByEmail?: boolean
}

export const providerFailed = 'The sign-in there did not come to an end.'
export const pathOf = (url: URL) => url.pathname + url.search

/** Where the page's button leads. */
export function buttonOf({ html }: PageAnswer): string {
  return /<a class="button" href="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? ''
}

let subjects = 0

/** Somebody new at the provider. */
export function account(more: Partial<ProviderAccount> = {}): ProviderAccount {
  subjects += 1
  const email = `subject-${subjects}@teahouse.example`
  return { sub: `subject-${subjects}`, email, email_verified: true, name: 'Ada Lovelace', ...more }
}

export async function openProviderBench(options: ProviderBenchOptions = {}): Promise<ProviderBench> {
  const provider = await startIdentityProvider(options)
  const { issuer, clientId, clientSecret } = provider
  const at = await startTestPlatform({
    config: {
      provider: {
        ...{ issuer, clientId, clientSecret, groupRoles },
        ...{ name: 'Tea House', scope: 'openid email profile', groupsClaim: 'groups' },
        linkByEmail: options.linkByEmail ?? false,
      },
    },
  })
  provider.register(`${at.publicUrl}/sign-in/oidc/callback`)
  const bench: ProviderBench = {
    at,
    provider,
    async outAndBack(browser, as, query = '') {
      provider.account = as
      const away = await browser.open(`/sign-in/oidc${query}`)
      return provider.visit(away.location ?? '')
    },
    async signIn(as, query = '') {
      const browser = at.browser()
      const answer = await browser.open(pathOf(await bench.outAndBack(browser, as, query)))
      return { browser, answer }
    },
    async meOf(browser) {
      const headers = { cookie: `stoa_session=${browser.cookie('stoa_session')}` }
      const { status, body } = await at.anonymous.request<Me>('GET', '/account/v1/me', { headers })
      return status === 200 ? body : null
    },
    async close() {
      await at.close()
      await provider.close()
    },
  }
  return bench
}
