import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { packageErrors, packageLimits, readPackage } from '../../../runtime/package/index.ts'
import { concat, extraField, makeRawZip, makeZip, toBytes, unixMode } from '../../support/zip.ts'
import { hostileZips } from './hostile-zips.ts'

test.each(hostileZips)('$title is refused with $codes', async ({ bytes, codes, path }) => {
  const answer = await readPackage(bytes)
  if (answer.ok) throw new Error('accepted')
  expect(answer.problems.map((problem) => problem.code).toSorted()).toEqual(codes.toSorted())
  for (const problem of answer.problems) {
    expect(problem.fix).toBe(packageErrors[problem.code].fix)
    expect(problem.message).toMatch(/^[^\p{Cc}\p{Cf}]{1,400}\.$/u)
  }
  if (path !== undefined)
    expect(answer.problems.map((problem) => problem.path)).toContain(path.normalize('NFC'))
})

test('a package made by an ordinary tool is read with its contents, size and SHA-256', async () => {
  const files = {
    'manifest.json': '{"name":"茶"}',
    'handlers.js': 'on()',
    'pages/首页.wxml': '<view/>',
    'empty.css': '',
  }
  for (const options of [{}, { compress: false }, { streamed: true }, { streamed: true, compress: false }]) {
    const bytes = await makeZip(files, options)
    const answer = await readPackage(bytes)
    if (!answer.ok) throw new Error(JSON.stringify(answer.problems))
    expect(answer.package.manifest).toEqual({ name: '茶' })
    expect(answer.package.sizeBytes).toBe(bytes.length)
    expect(answer.package.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect([...answer.package.files.keys()]).toEqual([
      'empty.css',
      'handlers.js',
      'manifest.json',
      'pages/首页.wxml',
    ])
    expect(answer.package.files.get('pages/首页.wxml')).toEqual(toBytes('<view/>'))
  }
})

test('empty directory entries, times and owners, as tools write them, are accepted and left out', async () => {
  const bytes = makeRawZip([
    { name: 'pages/', attributes: unixMode(0o040755) | 0x10, extra: extraField(0x5455, new Uint8Array(5)) },
    { name: 'pages/a.wxml', content: 'x', attributes: unixMode(0o100644), localExtra: extraField(0x7875) },
    { name: 'manifest.json', content: '\ufeff{}', descriptor: 'plain' },
  ])
  const answer = await readPackage(bytes)
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems))
  expect([...answer.package.files.keys()]).toEqual(['manifest.json', 'pages/a.wxml'])
})

test('entries listed in another order than they are stored are accepted', async () => {
  const [a, manifest] = [
    { name: 'a', content: 'x' },
    { name: 'manifest.json', content: '{}' },
  ]
  const lengthOfA = 30 + 1 + 1
  const swapped = makeRawZip([
    { ...manifest, centralLies: { headerOffset: lengthOfA }, gapBefore: rawLocal(a.name, a.content) },
    { ...a, centralLies: { headerOffset: 0 } },
  ])
  const cut = 30 + 1 + 1
  const directory = lengthOfA + 30 + 13 + 2
  const bytes = concat([swapped.subarray(0, directory), swapped.subarray(directory + cut)])
  new DataView(bytes.buffer).setUint32(bytes.length - 6, directory, true)
  const answer = await readPackage(bytes)
  expect(answer.ok).toBe(true)
})

function rawLocal(name: string, content: string): Uint8Array {
  const whole = makeRawZip([{ name, content }])
  return whole.subarray(0, 30 + name.length + content.length)
}

test('names are given in Unicode form NFC', async () => {
  const bytes = await makeZip({ 'manifest.json': '{}', 'e\u0301.js': 'x' })
  const answer = await readPackage(bytes)
  expect(answer.ok && [...answer.package.files.keys()]).toEqual(['manifest.json', '\u00e9.js'])
})

test('the largest allowed package is accepted, and one file of 64 KiB of zeros too', async () => {
  const content = new Uint8Array(packageLimits.ratioFreeBytes - 2)
  const zeros = await makeZip({ 'manifest.json': '{}', zeros: content })
  expect((await readPackage(zeros)).ok).toBe(true)
  const overhead = makeRawZip([{ name: 'manifest.json', content: '{}' }, { name: 'a' }]).length
  const fill = new Uint8Array(packageLimits.packageBytesMax - overhead)
  const largest = makeRawZip([
    { name: 'manifest.json', content: '{}' },
    { name: 'a', content: fill },
  ])
  expect(largest.length).toBe(packageLimits.packageBytesMax)
  expect((await readPackage(largest)).ok).toBe(true)
})

test('512 files are accepted', async () => {
  const files = Array.from({ length: packageLimits.filesMax - 1 }, (_, index) => ({
    name: `f${index}`,
    content: 'x',
    method: 8,
  }))
  const answer = await readPackage(makeRawZip([{ name: 'manifest.json', content: '{}' }, ...files]))
  expect(answer.ok && answer.package.files.size).toBe(packageLimits.filesMax)
})

test('all problems of all entries are in one answer, at most a hundred', async () => {
  const bytes = makeRawZip([
    { name: '../a', flags: 0x801 },
    { name: 'b\\c', attributes: unixMode(0o120777) },
    { name: 'manifest.json', content: '{', localLies: { size: 5 } },
  ])
  const answer = await readPackage(bytes)
  if (answer.ok) throw new Error('accepted')
  expect(answer.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
    'package.encrypted ../a',
    'package.path_escapes ../a',
    'package.symlink b\\c',
    'package.path_backslash b\\c',
    'package.local_header_differs manifest.json',
  ])
  const many = makeRawZip(Array.from({ length: 300 }, (_, index) => ({ name: `../${index}` })))
  const manyAnswer = await readPackage(many)
  expect(!manyAnswer.ok && manyAnswer.problems.length).toBe(packageLimits.problemsMax)
})

test('problems of unpacking are told for every file', async () => {
  const lie = { crc32: 1 }
  const bytes = makeRawZip(
    ['manifest.json', 'a', 'b'].map((name) => ({ name, content: '{}', centralLies: lie, localLies: lie })),
  )
  const answer = await readPackage(bytes)
  expect(!answer.ok && answer.problems.map(({ path }) => path)).toEqual(['manifest.json', 'a', 'b'])
})

test('bytes changed by the caller while the package is read change nothing', async () => {
  const bytes = await makeZip({ 'manifest.json': '{"name":"a"}', 'a.js': 'x' })
  const expected = createHash('sha256').update(bytes).digest('hex')
  const reading = readPackage(bytes)
  bytes.fill(0)
  const answer = await reading
  expect(answer.ok && answer.package.sha256).toBe(expected)
})

test('problems of the manifest text carry pointers', async () => {
  const text = '{"a":[[],{"b/c":1,"x":"\\u0000","b/c":2}],"d":"ok","d":3}'
  const answer = await readPackage(await makeZip({ 'manifest.json': text }))
  expect(!answer.ok && answer.problems.map(({ code, pointer }) => [code, pointer])).toEqual([
    ['package.manifest_text_illegal', '/a/1/x'],
    ['package.manifest_member_repeated', '/a/1/b~1c'],
    ['package.manifest_member_repeated', '/d'],
  ])
})
