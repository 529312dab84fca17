import { defineOperation, type Operation, personOf, schema } from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import { confirmationErrors, confirmFirst } from '../password/confirm-person.ts'
import { findPasswordOwner } from '../password/store.ts'
import * as wire from '../schema.ts'
import { beginTotpEnrolment, confirmTotpEnrolment, renewRecoveryCodes } from './enrol-totp.ts'
import { deleteTotp, findTotp } from './store.ts'

const RecoveryCodes = schema.named(
  'RecoveryCodes',
  schema.object({
    recoveryCodes: schema.array(schema.string({ maxLength: 32 }), {
      maxItems: limits.recoveryCodes,
      description: 'Shown this once; each is good once in the place of a code',
    }),
  }),
)

function beginEnrolment(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'second_factor.enrol',
    summary: 'Begin to set up a second factor (TOTP, RFC 6238)',
    description: 'Nothing is stored until `second_factor.confirm` has brought the first code.',
    method: 'POST',
    path: '/account/v1/second-factor:enrol',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    input: schema.object({ password: wire.ownPassword }),
    output: schema.object({
      secret: schema.string({ maxLength: 64, description: 'Base32, for typing in' }),
      uri: schema.string({ maxLength: 1000, description: 'The otpauth: address, for a QR code' }),
      enrolment: schema.string({ maxLength: 1000, description: 'To be sent back with the first code' }),
      expiresAt: schema.time(),
    }),
    errors: [...confirmationErrors, IdentityErrors.second_factor_exists],
    prepare: confirmFirst(deps),
    async handle({ tx, clock, random, caller }) {
      const { personId, displayName } = personOf(caller)
      const owner = await findPasswordOwner(tx, personId)
      const account = owner?.email ?? displayName
      const { host: issuer } = new URL(deps.publicUrl)
      const begun = await beginTotpEnrolment(
        tx,
        { keys: deps.keys, clock, random },
        { personId, account, issuer },
      )
      const { secret, uri, enrolment, expiresAtMs } = begun
      return { secret, uri, enrolment, expiresAt: toIso(expiresAtMs) }
    },
  })
}

function confirmEnrolment({ keys }: IdentityDependencies): Operation {
  return defineOperation({
    id: 'second_factor.confirm',
    summary: 'Set up the second factor by its first code',
    method: 'POST',
    path: '/account/v1/second-factor',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    status: 201,
    input: schema.object({
      enrolment: schema.string({ maxLength: 1000 }),
      code: schema.string({ maxLength: 16, description: 'Six digits that the app shows now' }),
    }),
    output: RecoveryCodes,
    errors: [
      IdentityErrors.enrolment_not_valid,
      IdentityErrors.code_refused,
      IdentityErrors.second_factor_exists,
    ],
    async handle({ tx, clock, random, caller, input }) {
      const { personId } = personOf(caller)
      const recoveryCodes = await confirmTotpEnrolment(
        tx,
        { keys, clock, random },
        { personId, enrolment: input.enrolment, code: input.code },
      )
      return { recoveryCodes }
    },
  })
}

function removeSecondFactor(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'second_factor.remove',
    summary: 'Remove the second factor and its recovery codes',
    method: 'POST',
    path: '/account/v1/second-factor:remove',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    input: schema.object({ password: wire.ownPassword }),
    output: schema.nothing,
    errors: [...confirmationErrors, IdentityErrors.second_factor_not_found],
    prepare: confirmFirst(deps),
    async handle({ tx, caller }) {
      const removed = await deleteTotp(tx, personOf(caller).personId)
      if (!removed) throw IdentityErrors.second_factor_not_found()
      return undefined
    },
  })
}

function replaceCodes(deps: IdentityDependencies): Operation {
  return defineOperation({
    id: 'recovery_code.replace',
    summary: 'New recovery codes in the place of the old ones',
    method: 'POST',
    path: '/account/v1/recovery-codes',
    audience: 'account',
    access: { kind: 'person' },
    kind: 'write',
    status: 201,
    input: schema.object({ password: wire.ownPassword }),
    output: RecoveryCodes,
    errors: [...confirmationErrors, IdentityErrors.second_factor_not_found],
    prepare: confirmFirst(deps),
    async handle({ tx, clock, random, caller }) {
      const { personId } = personOf(caller)
      if ((await findTotp(tx, personId)) === null) throw IdentityErrors.second_factor_not_found()
      return { recoveryCodes: await renewRecoveryCodes(tx, { keys: deps.keys, clock, random }, personId) }
    },
  })
}

/** A code from an authenticator app beside the password. */
export function secondFactorOperations(deps: IdentityDependencies): readonly Operation[] {
  return [beginEnrolment(deps), confirmEnrolment(deps), removeSecondFactor(deps), replaceCodes(deps)]
}
