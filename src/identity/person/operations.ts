import { defineOperation, idOf, type Operation, personOf, schema } from '../../capability/index.ts'
import { newId, present, type Queries } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import * as wire from '../schema.ts'
import { admitRegistration } from './admit-registration.ts'
import { createPerson } from './create-person.ts'
import { findProfile, type ProfileRow, updatePerson } from './store.ts'

const Person = schema.named(
  'Person',
  schema.object({
    id: idOf('person'),
    email: wire.email,
    displayName: wire.displayName,
    locale: wire.locale,
  }),
)

function registerPerson(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'person.register',
    summary: 'Register yourself as a developer',
    description: 'Open unless the platform has closed it; then people come by invitation.',
    method: 'POST',
    path: '/account/v1/people',
    audience: 'account',
    access: { kind: 'public' },
    kind: 'write',
    status: 201,
    input: schema.object({
      email: wire.email,
      password: wire.newPassword,
      displayName: wire.displayName,
      locale: schema.optional(wire.locale),
    }),
    output: Person,
    errors: [
      IdentityErrors.registration_closed,
      IdentityErrors.email_taken,
      IdentityErrors.too_many_attempts,
      IdentityErrors.password_too_common,
    ],
    prepare: ({ queries, clock, input }) => {
      const { email, password, displayName } = input
      const { registrationOpen, publicUrl } = deps
      const request = { email, password, displayName, address: deps.clientAddress() }
      return admitRegistration({ queries, clock, registrationOpen, publicUrl }, request)
    },
    handle({ tx, clock, random, input, prepared: passwordHash }) {
      const { email, displayName, locale = 'en' } = input
      const personId = newId('person', { clock, random })
      return createPerson(tx, clock, { personId, email, displayName, locale, passwordHash })
    },
  })
}

const membershipsShownMax = 1000

const Profile = schema.named(
  'Profile',
  schema.object({
    id: idOf('person'),
    email: schema.nullable(wire.email),
    displayName: wire.displayName,
    locale: wire.locale,
    publishers: schema.array(
      schema.object({
        publisherId: idOf('publisher'),
        name: schema.string({ maxLength: 200 }),
        role: schema.oneOf(wire.publisherRoles),
      }),
      { maxItems: membershipsShownMax },
    ),
    merchants: schema.array(
      schema.object({
        merchantId: idOf('merchant'),
        name: schema.string({ maxLength: 200 }),
        kind: schema.oneOf(wire.merchantKinds),
        role: schema.oneOf(wire.merchantRoles),
      }),
      { maxItems: membershipsShownMax },
    ),
    platformRoles: schema.array(schema.oneOf(wire.staffRoles), { maxItems: 2 }),
  }),
)

// Roles and kinds are columns with a CHECK on exactly these values; only input of this schema sets a locale.
function toProfile(row: ProfileRow) {
  return {
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    locale: row.locale as 'en' | 'zh-CN',
    publishers: row.publishers.map(({ id, name, role }) => ({
      publisherId: id,
      name,
      role: role as wire.PublisherRole,
    })),
    merchants: row.merchants.map(({ id, name, kind, role }) => ({
      merchantId: id,
      name,
      kind: kind as wire.MerchantKind,
      role: role as wire.MerchantRole,
    })),
    platformRoles: row.platform_roles as wire.StaffRole[],
  }
}

async function readProfile(q: Queries, personId: string) {
  return toProfile(present(await findProfile(q, personId), 'the caller'))
}

const getMe = defineOperation({
  id: 'me.get',
  summary: 'Who you are: name, memberships, roles',
  method: 'GET',
  path: '/account/v1/me',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object({}),
  output: Profile,
  errors: [],
  handle: ({ queries, caller }) => readProfile(queries, personOf(caller).personId),
})

const updateMe = defineOperation({
  id: 'me.update',
  summary: 'Change your name or language',
  method: 'PATCH',
  path: '/account/v1/me',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'write',
  input: schema.object({
    displayName: schema.optional(wire.displayName),
    locale: schema.optional(wire.locale),
  }),
  output: Profile,
  errors: [],
  async handle({ tx, caller, input }) {
    const { personId } = personOf(caller)
    await updatePerson(tx, personId, input)
    return readProfile(tx, personId)
  },
})

/** Registration and a person's own profile. */
export function personOperations(deps: IdentityDependencies): readonly Operation[] {
  return [registerPerson(deps), getMe, updateMe]
}
