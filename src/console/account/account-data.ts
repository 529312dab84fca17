import type { PageCall, PageSession } from '../page.ts'

interface Me {
  readonly email: string | null
  readonly displayName: string
  readonly locale: string
}

interface Passkey {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

interface Methods {
  readonly password: boolean
  readonly secondFactor: { readonly createdAt: string; readonly recoveryCodesLeft: number } | null
  readonly passkeys: readonly Passkey[]
  readonly providers: readonly {
    readonly id: string
    readonly issuer: string
    readonly createdAt: string
  }[]
}

interface Session {
  readonly id: string
  readonly userAgent: string
  readonly current: boolean
  readonly createdAt: string
  readonly seenAt: string
}

interface Token {
  readonly id: string
  readonly name: string
  readonly audiences: readonly string[]
  readonly expiresAt: string
  readonly lastUsedAt: string | null
}

/** What the account's page shows, as its operations answer it. */
export interface Account {
  readonly me: Me
  readonly methods: Methods
  readonly sessions: readonly Session[]
  readonly tokens: readonly Token[]
  /** Null: the platform has no identity provider. */
  readonly providerName: string | null
  /** False under an address that allows no passkeys. */
  readonly passkeysPossible: boolean
}

// As many as one person may have of either.
const all = { limit: 50 }

/** Reads the whole account. */
export async function readAccount(call: PageCall, session: PageSession): Promise<Account> {
  const [me, methods, sessions, tokens] = await Promise.all([
    call('me.get', {}),
    call('sign_in_methods.get', {}),
    call('session.list', all),
    call('personal_token.list', all),
  ])
  return {
    me: me.output as Me,
    methods: methods.output as Methods,
    sessions: (sessions.output as { readonly data: readonly Session[] }).data,
    tokens: (tokens.output as { readonly data: readonly Token[] }).data,
    providerName: session.providerName,
    passkeysPossible: session.askForPasskey() !== null,
  }
}
