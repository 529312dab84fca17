import { assert } from '../kernel/index.ts'
import type { AuthorizationDetail } from './bound.ts'

/** An app, by access token or from the sandbox. Without an installation it is the app itself (client credentials). */
export interface AppCaller {
  readonly kind: 'app'
  readonly appId: string
  readonly installation: InstallationCaller | null
  readonly scopes: ReadonlySet<string>
  /** The authorization details of the merchant's grant, as far as this token has them. */
  readonly bounds: readonly AuthorizationDetail[]
  /** The person of an online token. */
  readonly personId: string | null
}

/** At which merchant the app acts. */
export interface InstallationCaller {
  readonly appId: string
  readonly installationId: string
  readonly merchantId: string
  /** Grows with each change of the grant. */
  readonly grantEpoch: number
}

/** A human, by session or personal token. */
export interface PersonCaller {
  readonly kind: 'person'
  readonly personId: string
  /** The session of a browser; null: a personal token, or nobody's browser. */
  readonly sessionId: string | null
  readonly displayName: string
  readonly locale: string
  /** The session or personal token by which they came; null: they are looked at by their id. */
  readonly credentialId: string | null
  /** What this credential may be used for; a session: everything. */
  readonly audiences: ReadonlySet<string>
  readonly publishers: ReadonlyMap<string, string>
  readonly merchants: ReadonlyMap<string, string>
  readonly platformRoles: ReadonlySet<string>
}

/** The host's own systems, by STOA_HOST_KEY. */
export interface HostCaller {
  readonly kind: 'host'
}

/** Nobody has signed in. */
export interface AnonymousCaller {
  readonly kind: 'anonymous'
}

export type Caller = AppCaller | PersonCaller | HostCaller | AnonymousCaller

/** The installation an app operation runs for; `invoke()` has checked that there is one. */
export function installationOf(caller: Caller): InstallationCaller {
  assert(caller.kind === 'app' && caller.installation !== null, 'the door lets only installations in here')
  return caller.installation
}

/** The person; `invoke()` has checked that it is one. */
export function personOf(caller: Caller): PersonCaller {
  assert(caller.kind === 'person', 'the door lets only people in here')
  return caller
}

/** The app; `invoke()` has checked that it is one. */
export function appOf(caller: Caller): AppCaller {
  assert(caller.kind === 'app', 'the door lets only apps in here')
  return caller
}

/** Who pays for an idempotency key and a rate limit: the narrowest owner of this credential. */
export function ownerIdOf(caller: Caller): string {
  switch (caller.kind) {
    case 'app':
      return caller.installation?.installationId ?? caller.appId
    case 'person':
      return caller.personId
    case 'host':
      return 'host'
    case 'anonymous':
      return 'anonymous'
  }
}
