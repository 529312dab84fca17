import type { Answer, PersonCaller } from '../capability/index.ts'

/** Languages of every screen. */
export type Locale = 'en' | 'zh-CN'

/** What the authorization server waits for, when a page is one step of /oauth/authorize. */
export interface Interaction {
  readonly uid: string
  readonly prompt: 'login' | 'consent'
  readonly appId: string
  /** Scopes the app asks for in this request. */
  readonly scopes: readonly string[]
  /** online: the app signs this person in; offline: it acts as the installation. */
  readonly accessType: 'offline' | 'online'
  /** Origin of the redirect URI: the one place besides ourselves to which this page's form may lead. */
  readonly redirectOrigin: string
}

/** A browser's request, parsed; pages see nothing else. */
export interface PageRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** A field given more than once (checkboxes) has more than one value. */
  readonly form: Readonly<Record<string, readonly string[]>>
  readonly path: string
  readonly locale: Locale
  readonly person: PersonCaller | null
  /** To be sent back in the hidden field `csrf` of every form. */
  readonly csrfToken: string
  readonly interaction: Interaction | null
  readonly requestId: string
}

export type PageResponse =
  | {
      readonly kind: 'html'
      readonly status: number
      readonly html: string
      /** Widens Content-Security-Policy form-action on this response only. */
      readonly formActionOrigins?: readonly string[]
    }
  /** 303: the browser follows with GET. */
  | { readonly kind: 'redirect'; readonly location: string }

/** Runs an operation as the signed-in person; throws a StoaError as the operation does. */
export type PageCall = (operationId: string, input: unknown) => Promise<Answer>

export type SignInResult =
  /** The session's cookie is on its way to the browser. */
  | { readonly kind: 'signed_in'; readonly person: PersonCaller }
  | { readonly kind: 'second_factor' }
  /** Wrong, or too often: one answer. */
  | { readonly kind: 'refused' }
  /** What it began with is over. */
  | { readonly kind: 'expired' }

export type ProviderAsking =
  | { readonly mode: 'sign-in' | 'new'; readonly returnTo: string }
  | { readonly mode: 'link'; readonly returnTo: string; readonly password: string | undefined }

export interface ProviderResult {
  readonly result: SignInResult | { readonly kind: 'address_taken' } | { readonly kind: 'linked' }
  /** Path of our own to go on with. */
  readonly returnTo: string
}

/** What a page may ask of the browser's session; given by http, which alone knows cookies. */
export interface PageSession {
  /** Checks the password. */
  signIn(credentials: { readonly email: string; readonly password: string }): Promise<SignInResult>
  /** Whether this browser has given a right password, and a code is missing. */
  awaitsSecondFactor(): boolean
  confirmSecondFactor(code: string): Promise<SignInResult>
  /** What the script asks the browser, and what goes back with its answer; null where there can be no passkeys. */
  askForPasskey(): { readonly options: unknown; readonly challenge: string } | null
  signInByPasskey(given: { readonly challenge: string; readonly credential: string }): Promise<SignInResult>
  /** What people call the host's identity provider; null: there is none. */
  readonly providerName: string | null
  /** Where the browser goes to sign in there. `link`: as the person who is signed in, by their password. */
  askProvider(asking: ProviderAsking): Promise<string>
  /** The browser comes back from there, to the address of this request. */
  returnFromProvider(): Promise<ProviderResult>
  signOut(): Promise<void>
  /** Tells the authorization server who signed in; where to go on. */
  resumeSignIn(interaction: Interaction, person: PersonCaller): Promise<string>
  /** The person said no: back to the app with error=access_denied. */
  denyConsent(interaction: Interaction): Promise<string>
}

export interface Page {
  readonly method: 'GET' | 'POST'
  /** Express path; `:name` are params. */
  readonly path: string
  /** signed-in: others are sent to /sign-in with the way back. */
  readonly access: 'public' | 'signed-in'
  readonly handle: (request: PageRequest, call: PageCall, session: PageSession) => Promise<PageResponse>
}
