import { compile, schema } from '../../capability/index.ts'

function base64url(maxLength: number, description?: string) {
  return schema.string({
    minLength: 1,
    maxLength,
    pattern: '^[A-Za-z0-9_-]+$',
    ...(description === undefined ? {} : { description }),
  })
}

// WebAuthn §4 (credential ID): at most 1,023 bytes. §5.4.3: a user handle has at most 64.
const credentialId = base64url(1_400, '`id` of the PublicKeyCredential')

/** What navigator.credentials.create() gave, base64url. */
export const NewCredential = schema.named(
  'NewPasskeyCredential',
  schema.object({
    id: credentialId,
    clientDataJSON: base64url(2_000),
    attestationObject: base64url(8_000),
  }),
)

const asserted = schema.object({
  id: credentialId,
  clientDataJSON: base64url(2_000),
  authenticatorData: base64url(2_000),
  signature: base64url(2_000),
  userHandle: base64url(100),
})

/** What navigator.credentials.get() gave, base64url. */
export interface AssertedCredential {
  readonly id: string
  readonly clientDataJSON: string
  readonly authenticatorData: string
  readonly signature: string
  readonly userHandle: string
}

const check = compile(asserted.json)

/** The browser's answer out of a form's field; null when it is none. */
export function parseAssertedCredential(text: string): AssertedCredential | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return check(value).length === 0 ? (value as AssertedCredential) : null
}
