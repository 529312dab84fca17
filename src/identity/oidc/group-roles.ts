import { type MerchantRole, merchantRoles, type StaffRole } from '../schema.ts'
import type { GroupRole } from './settings.ts'

/** What somebody's groups give them. */
export interface GivenRoles {
  readonly platform: readonly StaffRole[]
  /** The host's own id of a merchant, or ours → the highest role of all groups. */
  readonly merchants: ReadonlyMap<string, MerchantRole>
}

/** The text that `*` stands for, empty where the pattern has none; null: another group. */
function starOf(pattern: string, group: string): string | null {
  const [head = '', tail] = pattern.split('*')
  if (tail === undefined) return pattern === group ? '' : null
  const isLonger = group.length > head.length + tail.length
  return isLonger && group.startsWith(head) && group.endsWith(tail)
    ? group.slice(head.length, group.length - tail.length)
    : null
}

function higher(a: MerchantRole | undefined, b: MerchantRole): MerchantRole {
  return a !== undefined && merchantRoles.indexOf(a) < merchantRoles.indexOf(b) ? a : b
}

/** The rows of the table that a group is in, each with what its `*` stands for. */
function gifts(table: readonly GroupRole[], groups: readonly string[]) {
  return table.flatMap(({ group: pattern, gives }) =>
    groups.flatMap((group) => {
      const star = starOf(pattern, group)
      return star === null ? [] : [{ gives, star }]
    }),
  )
}

/** Groups → roles, by the operator's table. */
export function rolesOf(table: readonly GroupRole[], groups: readonly string[]): GivenRoles {
  const platform = new Set<StaffRole>()
  const merchants = new Map<string, MerchantRole>()
  for (const { gives, star } of gifts(table, groups)) {
    if (gives.kind === 'platform') {
      platform.add(gives.role)
      continue
    }
    const merchant = gives.merchant === '*' ? star : gives.merchant
    merchants.set(merchant, higher(merchants.get(merchant), gives.role))
  }
  return { platform: [...platform], merchants }
}
