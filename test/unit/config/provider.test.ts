import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../../src/config.ts'
import { seededRandom } from '../../../src/kernel/index.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stoa-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const given = {
  STOA_OIDC_ISSUER: 'https://id.example.com/realms/staff',
  STOA_OIDC_CLIENT_ID: 'stoa',
  STOA_OIDC_CLIENT_SECRET: 'the secret of the provider',
}

function read(environment: Readonly<Record<string, string | undefined>>) {
  return readConfig({ STOA_DATA_DIR: folder, ...environment }, seededRandom('config')).provider
}

test('without an issuer there is no identity provider', () => {
  expect(read({})).toBeNull()
})

test('with one, the rest has defaults', () => {
  expect(read(given)).toEqual({
    issuer: 'https://id.example.com/realms/staff',
    clientId: 'stoa',
    clientSecret: 'the secret of the provider',
    name: 'id.example.com',
    scope: 'openid email profile',
    groupsClaim: 'groups',
    groupRoles: [],
    linkByEmail: false,
  })
})

test('the secret may be a file', () => {
  const file = join(folder, 'secret')
  writeFileSync(file, 'from a file\n')
  const environment = { ...given, STOA_OIDC_CLIENT_SECRET: undefined, STOA_OIDC_CLIENT_SECRET_FILE: file }
  expect(read(environment)?.clientSecret).toBe('from a file')
})

test('groups lead to platform roles and to merchants, several roles each', () => {
  const table = {
    'Platform Reviewers': 'reviewer',
    'CN=Admins,OU=IT': ['operator', 'reviewer'],
    'north-owners': 'merchant:shop:17:owner',
    'shop-*-staff': 'merchant:*:staff',
  }
  const roles = read({ ...given, STOA_OIDC_GROUP_ROLES: JSON.stringify(table) })?.groupRoles
  expect(roles).toEqual([
    { group: 'Platform Reviewers', gives: { kind: 'platform', role: 'reviewer' } },
    { group: 'CN=Admins,OU=IT', gives: { kind: 'platform', role: 'operator' } },
    { group: 'CN=Admins,OU=IT', gives: { kind: 'platform', role: 'reviewer' } },
    { group: 'north-owners', gives: { kind: 'merchant', merchant: 'shop:17', role: 'owner' } },
    { group: 'shop-*-staff', gives: { kind: 'merchant', merchant: '*', role: 'staff' } },
  ])
})

describe('a wrong variable is named, with what it must be', () => {
  test.each<[string, string, Record<string, string | undefined>]>([
    ['STOA_OIDC_ISSUER', 'id.example.com', given],
    ['STOA_OIDC_ISSUER', 'http://id.example.com', given],
    ['STOA_OIDC_ISSUER', 'https://id.example.com/?a=1', given],
    ['STOA_OIDC_ISSUER', 'https://id.example.com/#a', given],
    ['STOA_OIDC_ISSUER', 'https://user@id.example.com', given],
    ['STOA_OIDC_ISSUER', 'http://127.0.0.1:8080', { ...given, STOA_ALLOW_LOOPBACK_TARGETS: 'false' }],
    ['STOA_OIDC_CLIENT_ID', '', { ...given, STOA_OIDC_CLIENT_ID: undefined }],
    ['STOA_OIDC_CLIENT_SECRET', '', { ...given, STOA_OIDC_CLIENT_SECRET: undefined }],
    ['STOA_OIDC_CLIENT_ID', 'stoa', {}],
    ['STOA_OIDC_SCOPE', 'email', given],
    ['STOA_OIDC_LINK_BY_EMAIL', 'yes', given],
    ['STOA_OIDC_GROUP_ROLES', 'reviewers=reviewer', given],
    ['STOA_OIDC_GROUP_ROLES', '["reviewer"]', given],
    ['STOA_OIDC_GROUP_ROLES', '{"a":"admin"}', given],
    ['STOA_OIDC_GROUP_ROLES', '{"a":7}', given],
    ['STOA_OIDC_GROUP_ROLES', '{"a":"merchant:owner"}', given],
    ['STOA_OIDC_GROUP_ROLES', '{"a":"merchant:*:owner"}', given],
    ['STOA_OIDC_GROUP_ROLES', '{"a*b*":"merchant:*:owner"}', given],
    ['STOA_OIDC_GROUP_ROLES', '{"a*":"merchant:north:owner"}', given],
    ['STOA_OIDC_GROUP_ROLES', '{"staff-*":"operator"}', given],
  ])('%s=%s', (name, value, others) => {
    expect(() => read({ ...others, [name]: value })).toThrow(
      expect.objectContaining({
        code: 'kernel.invalid_configuration',
        message: expect.stringMatching(`^${name}: .+`),
      }),
    )
  })

  test('and plain http is for this machine alone, in development', () => {
    expect(read({ ...given, STOA_OIDC_ISSUER: 'http://127.0.0.1:8080' })?.issuer).toBe(
      'http://127.0.0.1:8080',
    )
  })

  test('and no error repeats the secret', () => {
    try {
      read({ ...given, STOA_OIDC_ISSUER: '' })
    } catch (error) {
      expect(String(error)).not.toContain(given.STOA_OIDC_CLIENT_SECRET)
      return
    }
    throw new Error('settings without an issuer were taken')
  })
})
