import { expect, test } from 'vitest'
import { manifestSchema, packageErrors, packageLimits } from '../../../runtime/package/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { hostileZips } from './hostile-zips.ts'
import { hostileManifests } from './manifests.ts'

test('every code of the table is produced by a hostile ZIP or manifest', () => {
  const produced = new Set([
    ...hostileZips.flatMap(({ codes }) => codes),
    ...hostileManifests.flatMap(({ problems }) => problems.map((problem) => problem.split(' ')[0])),
  ])
  expect([...produced].toSorted()).toEqual(Object.keys(packageErrors).toSorted())
})

test('the server prints the same limits as are enforced here', () => {
  expect(limits).toMatchObject({
    packageBytesMax: packageLimits.packageBytesMax,
    packageFilesMax: packageLimits.filesMax,
    packageUnpackedBytesMax: packageLimits.unpackedBytesMax,
    packageRatioMax: packageLimits.ratioMax,
    jsonDepthMax: packageLimits.manifestDepthMax,
  })
})

test('the published schema is plain JSON and describes each of its members', () => {
  expect(JSON.parse(JSON.stringify(manifestSchema))).toEqual(manifestSchema)
  for (const [name, member] of Object.entries(manifestSchema.properties)) {
    expect(member, name).toHaveProperty('description')
  }
})
