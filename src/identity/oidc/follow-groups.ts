import { type Clock, limits, type Transaction } from '../../kernel/index.ts'
import { rolesOf } from './group-roles.ts'
import type { GroupRole } from './settings.ts'
import { setGroupMemberships, setGroupStaffRoles } from './store.ts'

/** Gives a person the roles of their groups, and takes away those that came from groups before and do not any more. */
export async function followGroups(
  tx: Transaction,
  clock: Clock,
  given: {
    readonly personId: string
    readonly table: readonly GroupRole[]
    readonly groups: readonly string[]
  },
): Promise<void> {
  const { personId, table, groups } = given
  const { platform, merchants } = rolesOf(table, groups)
  const nowMs = clock.nowMs()
  await setGroupStaffRoles(tx, personId, { roles: platform, nowMs })
  const { membershipsMax } = limits
  await setGroupMemberships(tx, personId, { merchants, membershipsMax, nowMs })
}
