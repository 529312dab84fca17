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

/** What a page may ask of the browser's session; given by http, which alone knows cookies. */
export interface PageSession {
  /** Checks the password, starts a session and sets its cookie; null: wrong name or password (or throttled). */
  signIn(credentials: { readonly email: string; readonly password: string }): Promise<PersonCaller | null>
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
