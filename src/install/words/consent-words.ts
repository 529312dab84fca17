import type { Localized } from '../../capability/index.ts'

/** Something that is said about a permission. */
export interface Fact {
  readonly label: Localized
  readonly lines: readonly Localized[]
}

export interface ConsentItem {
  /** What it is about: a scope's name, or the type of authorization details. */
  readonly subject: string
  readonly title: Localized
  readonly sentence: Localized | null
  readonly badges: readonly Localized[]
  readonly facts: readonly Fact[]
  /** Folded until asked for. */
  readonly details: { readonly summary: Localized; readonly facts: readonly Fact[] } | null
  /** The box that stands before it; null: nothing to choose. */
  readonly choice: ConsentChoice | null
}

export interface ConsentChoice {
  readonly label: Localized
  /** The form's field. `separate`: without it there is no installation. */
  readonly field: 'optional' | 'separate'
  readonly checked: boolean
}

export interface ConsentSection {
  readonly kind: 'changes' | 'required' | 'optional' | 'separate' | 'bounds'
  readonly heading: Localized
  readonly hint: Localized | null
  readonly items: readonly ConsentItem[]
}

/**
 * The consent page, word for word, in both languages. Shown as it stands and kept as it stands; `{person}` alone is
 * filled in by whoever shows it, because the record names the person by id.
 */
export interface ConsentWords {
  readonly title: Localized
  readonly who: readonly Localized[]
  /** In place of the button “Allow”, for those who may not. */
  readonly onlyManagers: Localized
  readonly about: readonly Fact[]
  /** Where there is nothing to agree to. */
  readonly nothing: Localized | null
  readonly sections: readonly ConsentSection[]
  readonly outcome: { readonly heading: Localized; readonly facts: readonly Fact[] }
  readonly links: {
    readonly privacyPolicy: { readonly label: Localized; readonly href: string } | null
    /** The app's page; the market, where the app is not installed. */
    readonly app: Localized
    readonly accessHistory: Localized
  }
  readonly allow: Localized
  readonly doNotAllow: Localized
}
