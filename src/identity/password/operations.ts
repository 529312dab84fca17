import { defineOperation, type Operation, personOf, schema } from '../../capability/index.ts'
import { present, type Queries } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import * as wire from '../schema.ts'
import { endOtherSessions } from '../sign-in/store.ts'
import { confirmationErrors, confirmPerson } from './confirm-person.ts'
import { hashNewPassword } from './hash-new-password.ts'
import { findPasswordOwner, savePassword } from './store.ts'

async function readOwner(queries: Queries, personId: string) {
  const { email, display_name: displayName } = present(
    await findPasswordOwner(queries, personId),
    'the caller',
  )
  if (email === null) throw IdentityErrors.email_missing()
  return { email, displayName }
}

function changePassword(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'password.change',
    summary: 'Change your password, or choose the first one; your other sessions end',
    description: 'Personal tokens stay: they have an end of their own and can be revoked one by one.',
    method: 'PUT',
    path: '/account/v1/password',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    input: schema.object({
      currentPassword: wire.ownPassword,
      newPassword: wire.newPassword,
    }),
    output: schema.nothing,
    errors: [...confirmationErrors, IdentityErrors.password_too_common, IdentityErrors.email_missing],
    async prepare({ queries, clock, caller, input }) {
      const person = personOf(caller)
      const owner = await readOwner(queries, person.personId)
      const confirmation = { caller: person, password: input.currentPassword, address: deps.clientAddress() }
      await confirmPerson({ queries, clock }, confirmation)
      const hash = await hashNewPassword({
        ...owner,
        password: input.newPassword,
        publicUrl: deps.publicUrl,
        pointer: '/newPassword',
      })
      return { email: owner.email, hash }
    },
    async handle({ tx, clock, caller, prepared }) {
      const { personId, sessionId } = personOf(caller)
      await savePassword(tx, personId, { ...prepared, nowMs: clock.nowMs() })
      await endOtherSessions(tx, personId, { sessionId, nowMs: clock.nowMs() })
      return undefined
    },
  })
}

/** A person's password. */
export function passwordOperations(deps: IdentityDependencies): readonly Operation[] {
  return [changePassword(deps)]
}
