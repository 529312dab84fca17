import { describe, expect, test } from 'vitest'
import { rolesOf } from '../../../src/identity/oidc/group-roles.ts'
import type { GroupRole } from '../../../src/identity/oidc/settings.ts'

const staff = (group: string, role: 'reviewer' | 'operator'): GroupRole => ({
  ...{ group, gives: { kind: 'platform', role } },
})
const at = (group: string, merchant: string, role: 'owner' | 'manager' | 'staff'): GroupRole => ({
  ...{ group, gives: { kind: 'merchant', merchant, role } },
})

const table = [
  staff('reviewers', 'reviewer'),
  staff('admins', 'operator'),
  staff('admins', 'reviewer'),
  at('north-owners', 'north', 'owner'),
  at('shop-*-staff', '*', 'staff'),
  at('shop-*-managers', '*', 'manager'),
]

describe('groups', () => {
  test.each<[readonly string[], readonly string[], readonly (readonly [string, string])[]]>([
    [[], [], []],
    [['tea-drinkers', 'reviewer', 'Reviewers', 'reviewers '], [], []],
    [['reviewers'], ['reviewer'], []],
    [['admins'], ['operator', 'reviewer'], []],
    [['admins', 'admins'], ['operator', 'reviewer'], []],
    [['north-owners'], [], [['north', 'owner']]],
    [['shop-north-staff'], [], [['north', 'staff']]],
    [['shop-north-staff', 'shop-north-managers'], [], [['north', 'manager']]],
    [['shop-north-managers', 'shop-north-staff', 'north-owners'], [], [['north', 'owner']]],
    [['shop-a-b-staff'], [], [['a-b', 'staff']]],
    [['shop--staff', 'shop-staff', 'xshop-a-staff', 'shop-a-staffx'], [], []],
  ])('%j give %j and %j', (groups, platform, merchants) => {
    const given = rolesOf(table, groups)
    expect([...given.platform].sort()).toEqual(platform)
    expect([...given.merchants]).toEqual(merchants)
  })
})
