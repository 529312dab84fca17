import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPackage } from '../../../runtime/package/index.ts'
import { pathKey } from '../../../runtime/package/zip/check-path.ts'
import { makeZip, readWithYauzl, toBytes } from '../../support/zip.ts'

/** Windows opens these as devices, whatever their extension: a package that names one is refused. */
const isDevice = (segment: string) => /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/.test(segment)
const name = fc
  .stringMatching(/^[a-z0-9_\-茶é]{1,12}\.(?:js|css|wxml|png)$/)
  .filter((text) => !isDevice(text))
const folder = fc.stringMatching(/^[a-z]{1,8}$/).filter((text) => !isDevice(text))
const path = fc
  .tuple(fc.array(folder, { maxLength: 3 }), name)
  .map(([folders, last]) => [...folders, last].join('/'))
const content = fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.string({ unit: 'binary' }).map(toBytes))
const files = fc
  .uniqueArray(fc.tuple(path, content), { maxLength: 12, selector: ([key]) => pathKey(key) })
  .map((entries) => Object.fromEntries(entries))
const packing = fc.record({ streamed: fc.boolean(), compress: fc.boolean() })
/** Plain JSON as a manifest may hold it: PostgreSQL keeps no NUL, and `__proto__` is refused. */
const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => !/\\u0000|__proto__/.test(JSON.stringify(value)))

test('valid packages round-trip: what was packed is what is read', async () => {
  await fc.assert(
    fc.asyncProperty(files, json, packing, async (packed, manifest, options) => {
      const bytes = await makeZip({ ...packed, 'manifest.json': JSON.stringify(manifest) }, options)
      const answer = await readPackage(bytes)
      if (!answer.ok) throw new Error(JSON.stringify(answer.problems))
      expect(answer.package.manifest).toEqual(JSON.parse(JSON.stringify(manifest)))
      const { 'manifest.json': _manifest, ...rest } = Object.fromEntries(answer.package.files)
      expect(rest).toEqual(
        Object.fromEntries(Object.entries(packed).map(([key, value]) => [key.normalize('NFC'), value])),
      )
    }),
    { numRuns: 150 },
  )
})

test('the same bytes have the same identity, and one other bit another', async () => {
  const bytes = await makeZip({ 'manifest.json': '{}', 'a.js': 'hello' }, { compress: false })
  const [first, second] = [await readPackage(bytes), await readPackage(bytes.slice())]
  expect(first).toEqual(second)
  const other = bytes.slice()
  // The time in the local header of the first entry: a place whose value nothing else depends on.
  other[10] = (other[10] ?? 0) ^ 1
  const third = await readPackage(other)
  expect(first.ok && third.ok && first.package.sha256 !== third.package.sha256).toBe(true)
})

test('a damaged archive is refused or means exactly what an independent reader sees, and nothing throws', async () => {
  const sound = await makeZip(
    { 'manifest.json': '{"a":[1,"x"]}', 'a/b.js': 'hello hello hello' },
    { streamed: true },
  )
  const place = fc.nat({ max: sound.length - 1 })
  const damage = fc.array(fc.tuple(place, fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 255))), {
    minLength: 1,
    maxLength: 3,
  })
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const bytes = sound.slice()
      for (const [offset, byte] of changes) bytes[offset] = byte
      const answer = await readPackage(bytes)
      if (!answer.ok) {
        expect(answer.problems.length).toBeGreaterThan(0)
        return
      }
      const seen = await readWithYauzl(bytes)
      expect(Object.fromEntries(answer.package.files)).toEqual(Object.fromEntries(seen))
    }),
    { numRuns: 400 },
  )
})

test('bytes that are no archive are refused without an exception', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect((await readPackage(bytes)).ok).toBe(false)
    }),
    { numRuns: 200 },
  )
})
