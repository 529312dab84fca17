import { type Schema, schema } from '../capability/index.ts'
import { limits } from '../kernel/index.ts'

/** What a credential of a person may be used for. */
export const audiences = ['account', 'developer', 'merchant', 'reviewer'] as const
export const publisherRoles = ['owner', 'developer', 'viewer', 'ci'] as const
export const merchantRoles = ['owner', 'manager', 'staff'] as const
export const staffRoles = ['reviewer', 'operator'] as const
/** Every role an invitation may be for; `owner` is one of a publisher and of a merchant. */
export const allRoles = [...publisherRoles, 'manager', 'staff', ...staffRoles] as const
export const invitationKinds = ['publisher', 'merchant', 'platform'] as const
export const merchantKinds = ['organisation', 'shop'] as const

export type Audience = (typeof audiences)[number]
export type PublisherRole = (typeof publisherRoles)[number]
export type MerchantRole = (typeof merchantRoles)[number]
export type StaffRole = (typeof staffRoles)[number]
export type MerchantKind = (typeof merchantKinds)[number]

const nameLengthMax = 100
// RFC 5321 §4.5.3.1.3 bounds a path by 256 octets, of which two are "<" and ">".
const emailLengthMax = 254

/** A name for people: one line, not blank, without the marks that make text run backwards. */
export function nameOf(description: string): Schema<string> {
  return schema.string({
    minLength: 1,
    maxLength: nameLengthMax,
    pattern: '^(?=.*\\S)[^\\p{Cc}\\u2028-\\u202E\\u2066-\\u2069]*$',
    description,
  })
}

export const displayName = nameOf('How others see the person')
export const locale = schema.oneOf(['en', 'zh-CN'], { description: 'Language of pages and mail' })
export const email = schema.string({
  maxLength: emailLengthMax,
  format: 'email',
  pattern: '^[^\\s\\p{Cc}@]+@[^\\s\\p{Cc}@]+$',
  description: 'Upper and lower case are the same',
})
// NIST SP 800-63B §5.1.1.2: "Verifiers SHOULD NOT impose other composition rules"; length is all we ask for.
export const newPassword = schema.string({
  minLength: limits.passwordLengthMin,
  maxLength: limits.passwordLengthMax,
  description: 'Any characters',
})
export const password = schema.string({ minLength: 1, maxLength: limits.passwordLengthMax })
/** Of somebody who is signed in already, before something about their sign-in changes. */
export const ownPassword = schema.optional(
  schema.string({
    maxLength: limits.passwordLengthMax,
    description: 'Your password. Without one, you must have signed in within the last 15 minutes',
  }),
)
