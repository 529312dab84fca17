import {
  defineOperation,
  idOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  personOf,
  schema,
  toPage,
} from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import { createInvitation } from '../invitation/create-invitation.ts'
import { deletePublisherInvitation, listPublisherInvitations } from '../invitation/store.ts'
import * as wire from '../schema.ts'
import { createPublisher } from './create-publisher.ts'
import { removePublisherMember } from './remove-publisher-member.ts'
import { listPublisherMembers, listPublishers } from './store.ts'
import { CreatedInvitation, memberOf, toCreatedInvitation, toMember } from './wire.ts'

const publisherName = wire.nameOf('What merchants will see as the maker of its apps')
const role = schema.oneOf(wire.publisherRoles)

const Publisher = schema.named(
  'Publisher',
  schema.object({
    id: idOf('publisher'),
    name: publisherName,
    role: schema.oneOf(wire.publisherRoles, { description: 'Yours' }),
    createdAt: schema.time(),
  }),
)
const PublisherMember = schema.named('PublisherMember', memberOf(wire.publisherRoles))

const createOwnPublisher = defineOperation({
  id: 'publisher.create',
  summary: 'Create a publisher: a developer team that owns apps',
  method: 'POST',
  path: '/developer/v1/publishers',
  audience: 'developer',
  access: { kind: 'person' },
  kind: 'write',
  status: 201,
  input: schema.object({ name: publisherName }),
  output: Publisher,
  errors: [IdentityErrors.too_many_memberships],
  async handle({ tx, clock, random, caller, input }) {
    const { personId } = personOf(caller)
    const created = await createPublisher(tx, { clock, random }, { personId, name: input.name })
    const { id, name, role: own, createdAtMs } = created
    return { id, name, role: own, createdAt: toIso(createdAtMs) }
  },
})

const listOwnPublishers = defineOperation({
  id: 'publisher.list',
  summary: 'The publishers you belong to',
  method: 'GET',
  path: '/developer/v1/publishers',
  audience: 'developer',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object(pageInput('publisher')),
  output: pageOf(Publisher, limits.pageSizeMax),
  errors: [],
  async handle({ queries, caller, input }) {
    const rows = await listPublishers(queries, personOf(caller).personId, pageRequestOf(input))
    return toPage(input, rows, {
      cursorOf: ({ id }) => id,
      toItem: (row) => ({
        id: row.id,
        name: row.name,
        role: row.role as wire.PublisherRole,
        createdAt: toIso(row.created_at.getTime()),
      }),
    })
  },
})

const listMembers = defineOperation({
  id: 'publisher_member.list',
  summary: 'The members of a publisher',
  method: 'GET',
  path: '/developer/v1/publishers/{publisherId}/members',
  audience: 'developer',
  access: { kind: 'publisher', roles: ['owner', 'developer', 'viewer'] },
  kind: 'read',
  input: schema.object({ publisherId: idOf('publisher'), ...pageInput('person') }),
  output: pageOf(PublisherMember, limits.pageSizeMax),
  errors: [],
  async handle({ queries, input }) {
    const rows = await listPublisherMembers(queries, input.publisherId, pageRequestOf(input))
    return toPage(input, rows, {
      cursorOf: ({ person_id }) => person_id,
      toItem: (row) => toMember<wire.PublisherRole>(row),
    })
  },
})

const removeMember = defineOperation({
  id: 'publisher_member.remove',
  summary: 'Remove a member from a publisher at once',
  method: 'DELETE',
  path: '/developer/v1/publishers/{publisherId}/members/{personId}',
  audience: 'developer',
  access: { kind: 'publisher', roles: ['owner'] },
  kind: 'write',
  input: schema.object({ publisherId: idOf('publisher'), personId: idOf('person') }),
  output: schema.nothing,
  errors: [IdentityErrors.member_not_found, IdentityErrors.last_owner],
  async handle({ tx, input }) {
    await removePublisherMember(tx, input)
    return undefined
  },
})

function inviteMember({ publicUrl }: IdentityDependencies): Operation {
  return defineOperation({
    id: 'publisher_invitation.create',
    summary: 'Invite somebody to a publisher by link',
    description: 'Whether the address belongs to an account is not told. The link is for one person, once.',
    method: 'POST',
    path: '/developer/v1/publishers/{publisherId}/invitations',
    audience: 'developer',
    access: { kind: 'publisher', roles: ['owner'] },
    kind: 'write',
    status: 201,
    input: schema.object({ publisherId: idOf('publisher'), email: wire.email, role }),
    output: CreatedInvitation,
    errors: [IdentityErrors.too_many_invitations],
    async handle({ tx, clock, random, caller, input }) {
      const membership = { kind: 'publisher', targetId: input.publisherId, role: input.role } as const
      const createdBy = personOf(caller).personId
      const deps = { clock, random, publicUrl }
      return toCreatedInvitation(
        await createInvitation(tx, deps, { membership, email: input.email, createdBy }),
      )
    },
  })
}

const PublisherInvitation = schema.named(
  'PublisherInvitation',
  schema.object({
    id: idOf('invitation'),
    email: wire.email,
    role,
    createdAt: schema.time(),
    expiresAt: schema.time(),
  }),
)

const listInvitations = defineOperation({
  id: 'publisher_invitation.list',
  summary: 'A publisher’s open invitations',
  method: 'GET',
  path: '/developer/v1/publishers/{publisherId}/invitations',
  audience: 'developer',
  access: { kind: 'publisher', roles: ['owner'] },
  kind: 'read',
  input: schema.object({ publisherId: idOf('publisher'), ...pageInput('invitation') }),
  output: pageOf(PublisherInvitation, limits.pageSizeMax),
  errors: [],
  async handle({ queries, clock, input }) {
    const page = pageRequestOf(input)
    const rows = await listPublisherInvitations(queries, input.publisherId, page, clock.nowMs())
    return toPage(input, rows, {
      cursorOf: ({ id }) => id,
      toItem: (row) => ({
        id: row.id,
        email: row.email,
        role: row.role as wire.PublisherRole,
        createdAt: toIso(row.created_at.getTime()),
        expiresAt: toIso(row.expires_at.getTime()),
      }),
    })
  },
})

const withdrawInvitation = defineOperation({
  id: 'publisher_invitation.withdraw',
  summary: 'Withdraw an open invitation of a publisher',
  method: 'DELETE',
  path: '/developer/v1/publishers/{publisherId}/invitations/{invitationId}',
  audience: 'developer',
  access: { kind: 'publisher', roles: ['owner'] },
  kind: 'write',
  input: schema.object({ publisherId: idOf('publisher'), invitationId: idOf('invitation') }),
  output: schema.nothing,
  errors: [IdentityErrors.invitation_not_found],
  async handle({ tx, input }) {
    const withdrawn = await deletePublisherInvitation(tx, input.publisherId, input.invitationId)
    if (!withdrawn) throw IdentityErrors.invitation_not_found()
    return undefined
  },
})

/** Publishers, their members and invitations. */
export function publisherOperations(deps: IdentityDependencies): readonly Operation[] {
  return [
    createOwnPublisher,
    listOwnPublishers,
    listMembers,
    removeMember,
    inviteMember(deps),
    listInvitations,
    withdrawInvitation,
  ]
}
