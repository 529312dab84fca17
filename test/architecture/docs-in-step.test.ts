import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { humanValue, referencePages } from '../../docs/reference-pages.ts'
import { listErrors } from '../../src/kernel/index.ts'
import { importTables, readFiles, repositoryRoot } from '../support/repository.ts'

const pages = await referencePages()

test.each(pages.map(({ path }) => path))('%s is what `npm run generate` writes', (path) => {
  const file = join(repositoryRoot, path)
  const written = existsSync(file) ? readFileSync(file, 'utf8') : ''
  expect(written).toBe(pages.find((page) => page.path === path)?.text)
})

test('every error table of the tree is loaded for the page', () => {
  const parts = new Set(listErrors().map(([code]) => code.split('.')[0]))
  const declared = readFiles('src', /^errors[.]ts$/).flatMap(({ text }) =>
    [...text.matchAll(/= defineErrors\(\s*'([a-z-]+)'/g)].map(([, part]) => part),
  )
  expect(declared.filter((part) => !parts.has(part))).toEqual([])
  expect(parts.size).toBeGreaterThan(0)
})

test('every error says how to get out of it', () => {
  const silent = listErrors().filter(([, { fix }]) => fix === undefined || fix.length < 10)
  expect(silent.map(([code]) => code)).toEqual([])
})

test('every error code is part.what_went_wrong', () => {
  expect(listErrors().filter(([code]) => !/^[a-z]+([-_][a-z]+)*[.][a-z]+(_[a-z0-9]+)*$/.test(code))).toEqual(
    [],
  )
})

test('docs/architecture.md says what every part is for', () => {
  const text = readFiles('docs', /^architecture[.]md$/)[0]?.text ?? ''
  const folders = new Set(
    readFiles('src', /[.]tsx?$/).flatMap(({ path }) => path.match(/^src\/([^/]+)\//)?.[1] ?? []),
  )
  expect(Object.keys(importTables.parts).filter((part) => !text.includes(`| \`${part}\` |`))).toEqual([])
  expect([...folders].filter((part) => !text.includes(`| \`${part}\` |`))).toEqual([])
})

test.each([
  [{ value: 15_000, unit: 'ms' }, '15 s'],
  [{ value: 90 * 86_400_000, unit: 'ms' }, '90 d'],
  [{ value: 1_500, unit: 'ms' }, '1,500 ms'],
  [{ value: 65_536, unit: 'bytes per run' }, '64 KiB per run'],
  [{ value: 50_000_000, unit: 'fuel units' }, '50,000,000 fuel units'],
])('%o is printed as %s', (limit, text) => {
  expect(humanValue(limit)).toBe(text)
})

// A link from one page to another, or to a file of the tree, that leads nowhere.
test('relative links of the documentation lead somewhere', () => {
  const broken = [...readFiles('docs', /[.]md$/), ...readFiles('.', /^(README|CHANGELOG)[.]md$/)].flatMap(
    ({ path, text }) =>
      [...text.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !target.startsWith('/'))
        .filter((target) => !existsSync(join(repositoryRoot, path, '..', target)))
        .map((target) => `${path}: ${target}`),
  )
  expect(broken).toEqual([])
})
