import { type Capability, defineCapability } from '../capability/index.ts'
import type { IdentityDependencies } from './dependencies.ts'
import { invitationOperations } from './invitation/operations.ts'
import { hostMemberOperations } from './membership/host-operations.ts'
import { publisherOperations } from './membership/operations.ts'
import { merchantOperations } from './merchant/operations.ts'
import { passwordOperations } from './password/operations.ts'
import { personOperations } from './person/operations.ts'
import { signInOperations } from './sign-in/operations.ts'
import { secondFactorOperations } from './totp/operations.ts'

/** People, their credentials, and where they belong. */
export function identityCapability(deps: IdentityDependencies): Capability {
  return defineCapability({
    id: 'identity',
    summary: 'People, publishers, merchants and staff',
    operations: [
      ...personOperations(deps),
      ...signInOperations(deps),
      ...passwordOperations(deps),
      ...secondFactorOperations(deps),
      ...invitationOperations(deps),
      ...publisherOperations(deps),
      ...merchantOperations,
      ...hostMemberOperations(deps),
    ],
  })
}
