import { expect, test } from 'vitest'
import { manifestSchema } from '../../../runtime/package/index.ts'
import { checkManifestSchema, manifestSchemaDocument } from '../../../src/registry/check-manifest-schema.ts'

const good = {
  app_id: 'com.example.tea',
  name: 'Tea',
  icons: [],
  pages: [],
  platform_version: { min_code: 1 },
  version: { code: 1, name: '1.0.0' },
}

function codesOf(manifest: unknown) {
  return checkManifestSchema(manifest).map(({ code, pointer }) => `${code} ${pointer}`)
}

test('the published document is the schema that uploads are held against', () => {
  expect(manifestSchemaDocument()).toBe(manifestSchema)
  expect(codesOf(good)).toEqual([])
})

test('every place is named with a pointer to the member itself', () => {
  const { name: _name, ...nameless } = good
  const purpose = { en: 'x', 'a/b~c': 'x' }
  const wrong = {
    ...nameless,
    version: { code: 0 },
    dir: 'up',
    stoa_event: [],
    stoa_scopes: { required: [{ name: 'order:read', purpose }] },
  }
  expect(codesOf(wrong).toSorted()).toEqual([
    'package.member_invalid /dir',
    'package.member_invalid /version/code',
    'package.member_missing /name',
    'package.member_missing /version/name',
    'package.member_unknown /stoa_event',
    'package.member_unknown /stoa_scopes/required/0/purpose/a~1b~0c',
  ])
})

test('a member of the wrong form is told the right one in words', () => {
  const [problem] = checkManifestSchema({ ...good, version: { code: 1, name: 'v1' } })
  expect(problem).toMatchObject({
    pointer: '/version/name',
    message: '/version/name must be three numbers, such as 1.2.3.',
    fix: 'Write three numbers, such as 1.2.3.',
  })
})

test('what is no object at all is one problem, not a crash', () => {
  for (const manifest of [null, [], 'manifest', 7])
    expect(codesOf(manifest)).toEqual(['package.member_invalid '])
})
