import type { Localized } from '../capability/index.ts'

/** What of an app's manifest the merchant is asked about. */
export interface ConsentManifest {
  readonly name?: string
  readonly description?: string
  readonly req_permissions?: readonly { readonly name: string; readonly reason?: string }[]
  readonly stoa_names?: Texts
  readonly stoa_purpose?: Texts
  readonly stoa_publisher?: {
    readonly legal_name?: string
    readonly country?: string
    readonly contact?: string
    readonly privacy_policy?: string
  }
  readonly stoa_scopes?: {
    readonly required?: readonly ScopeAsked[]
    readonly optional?: readonly ScopeAsked[]
  }
  readonly stoa_events?: readonly { readonly type: string }[]
  readonly stoa_egress_hosts?: readonly string[]
}

/** Text by locale. */
type Texts = Readonly<Record<string, string>>

export interface ScopeAsked {
  readonly name: string
  readonly purpose: Texts
  readonly justification?: Texts
  readonly without?: Texts
  readonly retention_days?: number
  readonly recipients?: readonly RecipientNamed[]
}

interface RecipientNamed {
  readonly name: string
  readonly country: string
  readonly role: 'entrusted' | 'independent'
  readonly purpose?: Texts
}

/** Somebody besides the publisher who gets the data, as the developer says. */
export interface Recipient {
  readonly name: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** entrusted: on the publisher's orders alone. independent: for purposes of its own. */
  readonly role: 'entrusted' | 'independent'
  readonly purpose: Localized | null
}

/** What the developer says about one scope. */
export interface DeveloperStatement {
  readonly purpose: Localized
  readonly justification: Localized | null
  /** What does not work without it. */
  readonly without: Localized | null
  /** Null: the developer does not say. 0: not kept. */
  readonly retentionDays: number | null
  /** Null: the developer does not say. */
  readonly recipients: readonly Recipient[] | null
}

/** The text in both languages; where the developer wrote no Chinese, the English stands for it. */
export function localizedOf(texts: Texts): Localized {
  const en = texts['en'] ?? ''
  return { en, 'zh-CN': texts['zh-CN'] ?? en }
}

function localizedOrNull(texts: Texts | undefined): Localized | null {
  return texts === undefined ? null : localizedOf(texts)
}

// The W3C's own member says the same in the language of the manifest.
function reasonOf({ req_permissions }: ConsentManifest, scope: string): Localized | null {
  const reason = req_permissions?.find(({ name }) => name === scope)?.reason
  return reason === undefined || reason === '' ? null : { en: reason, 'zh-CN': reason }
}

/** What the developer says about one scope. */
export function statementOf(manifest: ConsentManifest, asked: ScopeAsked): DeveloperStatement {
  return {
    purpose: localizedOf(asked.purpose),
    justification: localizedOrNull(asked.justification) ?? reasonOf(manifest, asked.name),
    without: localizedOrNull(asked.without),
    retentionDays: asked.retention_days ?? null,
    recipients:
      asked.recipients?.map(({ name, country, role, purpose }) => ({
        ...{ name, country, role },
        purpose: localizedOrNull(purpose),
      })) ?? null,
  }
}
