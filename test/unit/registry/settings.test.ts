import { array, assert, constantFrom, property } from 'fast-check'
import { expect, test } from 'vitest'
import type { Manifest } from '../../../runtime/package/index.ts'
import { defaultSettings, unreviewedRedirectUris } from '../../../src/registry/settings.ts'

const uris = [
  'https://a.example/',
  'https://a.example/x',
  'https://A.example/',
  'https://b.example/',
] as const

function manifestWith(redirectUris: readonly string[]): Manifest {
  return {
    app_id: 'com.example',
    name: 'x',
    icons: [],
    pages: [],
    platform_version: { min_code: 1 },
    version: { code: 1, name: '1.0.0' },
    stoa_redirect_uris: redirectUris,
  }
}

test('settings hold exactly the addresses that were reviewed, letter by letter', () => {
  const some = array(constantFrom(...uris))
  assert(
    property(some, some, (reviewed, redirectUris) => {
      const places = unreviewedRedirectUris({ ...defaultSettings, redirectUris }, manifestWith(reviewed))
      expect(places).toEqual(
        [...redirectUris.keys()].filter((i) => !reviewed.includes(redirectUris[i] ?? 'https://b.example/')),
      )
    }),
  )
})

test('without a release only the empty list is narrower', () => {
  expect(unreviewedRedirectUris(defaultSettings, null)).toEqual([])
  expect(unreviewedRedirectUris({ ...defaultSettings, redirectUris: [uris[0]] }, null)).toEqual([0])
})
