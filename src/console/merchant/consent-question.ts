/** What the operation consent.get answers, as far as pages read it. */
export interface Localized {
  readonly en: string
  readonly 'zh-CN': string
}

export interface ConsentRow {
  readonly scope: string
  readonly consent: Localized
  readonly granted: boolean
}

export interface ConsentQuestion {
  readonly appId: string
  readonly appNames: Localized
  readonly publisherName: string
  readonly versionId: string
  readonly versionName: string
  readonly installationId: string | null
  readonly required: readonly ConsentRow[]
  readonly optional: readonly ConsentRow[]
  readonly words: ConsentWords
  readonly textSha256: string
  readonly refusedAt: string | null
  readonly accessType: 'offline' | 'online'
}

export interface Fact {
  readonly label: Localized
  readonly lines: readonly Localized[]
}

export interface ConsentItem {
  readonly subject: string
  readonly title: Localized
  readonly sentence: Localized | null
  readonly badges: readonly Localized[]
  readonly facts: readonly Fact[]
  readonly details: { readonly summary: Localized; readonly facts: readonly Fact[] } | null
  readonly choice: {
    readonly label: Localized
    readonly field: 'optional' | 'separate'
    readonly checked: boolean
  } | null
}

export interface ConsentSection {
  readonly kind: string
  readonly heading: Localized
  readonly hint: Localized | null
  readonly items: readonly ConsentItem[]
}

/** The page word for word; `{person}` is filled in when it is shown. */
export interface ConsentWords {
  readonly title: Localized
  readonly who: readonly Localized[]
  readonly onlyManagers: Localized
  readonly about: readonly Fact[]
  readonly nothing: Localized | null
  readonly sections: readonly ConsentSection[]
  readonly outcome: { readonly heading: Localized; readonly facts: readonly Fact[] }
  readonly links: {
    readonly privacyPolicy: { readonly label: Localized; readonly href: string } | null
    readonly app: Localized
    readonly accessHistory: Localized
  }
  readonly allow: Localized
  readonly doNotAllow: Localized
}
