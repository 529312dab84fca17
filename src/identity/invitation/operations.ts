import { defineOperation, idOf, type Operation, personOf, schema } from '../../capability/index.ts'
import { toIso } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import * as wire from '../schema.ts'
import { type Acceptance, acceptAsNewPerson, acceptAsPerson } from './accept-invitation.ts'
import { openInvitationOf, prepareAcceptance } from './open-invitation.ts'

const role = schema.oneOf(wire.allRoles)
const token = schema.string({ maxLength: 100, description: 'From the invitation’s link' })

const OpenInvitation = schema.named(
  'OpenInvitation',
  schema.object({
    kind: schema.oneOf(wire.invitationKinds),
    name: schema.nullable(
      schema.string({
        maxLength: 200,
        description: 'Of the publisher or merchant; null: the platform itself',
      }),
    ),
    role,
    email: schema.string({ maxLength: 254, description: 'A new account will have this address' }),
    expiresAt: schema.time(),
  }),
)

const AcceptedInvitation = schema.named(
  'AcceptedInvitation',
  schema.object({
    personId: idOf('person'),
    email: schema.string({ maxLength: 254, description: 'The address the invitation was made for' }),
    kind: schema.oneOf(wire.invitationKinds),
    publisherId: schema.nullable(idOf('publisher')),
    merchantId: schema.nullable(idOf('merchant')),
    role,
  }),
)

function toAccepted({ personId, email, membership }: Acceptance) {
  return {
    personId,
    email,
    kind: membership.kind,
    publisherId: membership.kind === 'publisher' ? membership.targetId : null,
    merchantId: membership.kind === 'merchant' ? membership.targetId : null,
    role: membership.role,
  }
}

const inspectInvitation = defineOperation({
  id: 'invitation.inspect',
  summary: 'What an invitation is for',
  description: 'The token travels in the body: an address of the API ends up in logs.',
  method: 'POST',
  path: '/account/v1/invitations/inspect',
  audience: 'account',
  access: { kind: 'public' },
  kind: 'read',
  input: schema.object({ token }),
  output: OpenInvitation,
  errors: [IdentityErrors.invitation_not_valid],
  async handle({ queries, clock, input }) {
    const { membership, email, targetName, expiresAtMs } = await openInvitationOf(queries, input.token, clock)
    const { kind, role: invitedAs } = membership
    return { kind, name: targetName, role: invitedAs, email, expiresAt: toIso(expiresAtMs) }
  },
})

function acceptInvitation({ publicUrl }: IdentityDependencies): Operation {
  return defineOperation({
    id: 'invitation.accept',
    summary: 'Accept an invitation with a new account',
    method: 'POST',
    path: '/account/v1/invitations/accept',
    audience: 'account',
    access: { kind: 'public' },
    kind: 'write',
    status: 201,
    input: schema.object({
      token,
      password: wire.newPassword,
      displayName: wire.displayName,
      locale: schema.optional(wire.locale),
    }),
    output: AcceptedInvitation,
    errors: [
      IdentityErrors.invitation_not_valid,
      IdentityErrors.email_taken,
      IdentityErrors.too_many_memberships,
      IdentityErrors.password_too_common,
    ],
    prepare: ({ queries, clock, input }) => prepareAcceptance({ queries, clock, publicUrl }, input),
    async handle({ tx, clock, random, input, prepared: passwordHash }) {
      const { displayName, locale = 'en' } = input
      const member = { token: input.token, displayName, locale, passwordHash }
      return toAccepted(await acceptAsNewPerson(tx, { clock, random }, member))
    },
  })
}

const joinByInvitation = defineOperation({
  id: 'invitation.join',
  summary: 'Accept an invitation with the account you are signed in with',
  method: 'POST',
  path: '/account/v1/invitations/join',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'write',
  input: schema.object({ token }),
  output: AcceptedInvitation,
  errors: [
    IdentityErrors.invitation_not_valid,
    IdentityErrors.already_member,
    IdentityErrors.too_many_memberships,
  ],
  async handle({ tx, clock, caller, input }) {
    const { personId } = personOf(caller)
    return toAccepted(await acceptAsPerson(tx, clock, { token: input.token, personId }))
  },
})

/** What the finder of an invitation's link may do. */
export function invitationOperations(deps: IdentityDependencies): readonly Operation[] {
  return [inspectInvitation, acceptInvitation(deps), joinByInvitation]
}
