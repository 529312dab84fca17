import { expect, test } from 'vitest'
import { hostCapabilities } from '../../../src/capabilities/index.ts'
import { makeCatalog } from '../../../src/capability/index.ts'
import { permissionsOf } from '../../../src/review/permissions.ts'

const { scopes } = makeCatalog(hostCapabilities)
const manifest = {
  app_id: 'com.example',
  name: 'x',
  icons: [],
  pages: [],
  platform_version: { min_code: 1 },
  version: { code: 1, name: '1.0.0' },
}

test('each permission has the catalogue’s words and the developer’s purpose, required ones first', () => {
  const required = [{ name: 'order:read', purpose: { en: 'Counts', 'zh-CN': '统计' } }]
  const optional = [{ name: 'customer:read', purpose: { en: 'Addresses' } }]
  const permissions = permissionsOf({ ...manifest, stoa_scopes: { optional, required } }, scopes)
  expect(permissions.map(({ scope, required: must, purpose }) => [scope, must, purpose['en']])).toEqual([
    ['order:read', true, 'Counts'],
    ['customer:read', false, 'Addresses'],
  ])
  expect(permissions[0]?.consent).toEqual(scopes.get('order:read')?.consent)
})

test('a scope the platform gave up since is still shown, by its name', () => {
  const required = [{ name: 'old:read', purpose: { en: 'Old' } }]
  const [permission] = permissionsOf({ ...manifest, stoa_scopes: { required } }, scopes)
  expect(permission).toMatchObject({ title: { en: 'old:read', 'zh-CN': 'old:read' }, sensitivity: null })
})

test('an app that asks for nothing has no permissions', () => {
  expect(permissionsOf(manifest, scopes)).toEqual([])
})
