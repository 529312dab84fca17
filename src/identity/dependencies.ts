import type { SignInKeys } from './sign-in/keys.ts'

/** What the identity's operations need from the platform. */
export interface IdentityDependencies {
  /** Origin under which browsers reach the platform: the start of an invitation's link. */
  readonly publicUrl: string
  readonly keys: SignInKeys
  /** Whether anybody may register, or only who was invited. */
  readonly registrationOpen: boolean
  /** Network address of the client whose request runs now; any fixed text when there is none. */
  readonly clientAddress: () => string
}
