/**
 * manifest.json after validation: the W3C MiniApp Manifest (Working Draft) with members of our own prefixed `stoa_`.
 * Members keep their wire names. manifest-schema.ts describes each one and holds the limits.
 */
export interface Manifest {
  readonly app_id: string
  readonly name: string
  readonly short_name?: string
  readonly description?: string
  readonly lang?: string
  readonly dir?: 'ltr' | 'rtl' | 'auto'
  readonly color_scheme?: 'auto' | 'light' | 'dark'
  readonly device_type?: readonly string[]
  readonly icons: readonly ManifestIcon[]
  readonly pages: readonly string[]
  readonly platform_version: {
    readonly min_code: number
    readonly target_code?: number
    readonly release_type?: string
  }
  readonly version: { readonly code: number; readonly name: string }
  readonly window?: Readonly<Record<string, unknown>>
  readonly req_permissions?: readonly { readonly name: string; readonly reason?: string }[]
  readonly stoa_names?: LocalizedText
  readonly stoa_purpose?: EnglishText
  readonly stoa_publisher?: PublisherStatement
  readonly stoa_scopes?: {
    readonly required?: readonly ScopeRequest[]
    readonly optional?: readonly ScopeRequest[]
  }
  readonly stoa_events?: readonly EventRequest[]
  readonly stoa_authorization_details?: readonly DetailRequest[]
  readonly stoa_device_authorization?: boolean
  readonly stoa_handlers?: string
  readonly stoa_redirect_uris?: readonly string[]
  readonly stoa_egress_hosts?: readonly string[]
}

interface ManifestIcon {
  readonly src: string
  readonly sizes?: string
  readonly label?: string
}

/** Text by locale: `{ "en": "Print orders", "zh-CN": "打印订单" }`. */
export type LocalizedText = Readonly<Record<string, string>>

/** The same; English is always there. */
export type EnglishText = LocalizedText & { readonly en: string }

/** What the developer says about who answers for the data. */
export interface PublisherStatement {
  readonly legal_name?: string
  /** ISO 3166-1 alpha-2. */
  readonly country?: string
  readonly contact?: string
  readonly privacy_policy?: string
}

/** A scope with what merchant and reviewer read about it, in the developer’s words. */
export interface ScopeRequest {
  readonly name: string
  readonly purpose: EnglishText
  readonly justification?: EnglishText
  /** What does not work when an optional scope is refused. */
  readonly without?: EnglishText
  /** Absent: the developer does not say. */
  readonly retention_days?: number
  /** Everybody else who gets the data; absent: the developer does not say. */
  readonly recipients?: readonly DataRecipient[]
}

/** Somebody besides the publisher who gets the data. */
export interface DataRecipient {
  readonly name: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** entrusted: on the publisher's orders alone. independent: for purposes of its own. */
  readonly role: 'entrusted' | 'independent'
  readonly purpose?: EnglishText
}

/** The widest bounds that the app asks for, RFC 9396; the members are those of the type. */
export interface DetailRequest {
  readonly type: string
  readonly [member: string]: unknown
}

/** An event type pinned to one version of its schema. */
export interface EventRequest {
  readonly type: string
  readonly version: number
}
