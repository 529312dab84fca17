import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { isRun, readFences, runPage } from '../support/docs-commands.ts'
import { readFiles } from '../support/repository.ts'

const pages = [
  ...readFiles('.', /^README[.]md$/).filter(({ path }) => path === 'README.md'),
  ...readFiles('docs', /[.]md$/),
].map(({ path, text }) => ({ path, fences: readFences(path, text) }))

const all = pages.flatMap(({ fences }) => fences)

describe('the fenced blocks of README.md and docs/', () => {
  test('name their language, and commands are sh', () => {
    const wrong = all.filter(
      ({ language }) => language === '' || /^(bash|shell|console|zsh|terminal)$/.test(language),
    )
    expect(wrong.map(({ place }) => place)).toEqual([])
  })

  test('are valid shell even where they are marked not-run', () => {
    for (const { place, language, text } of all) {
      if (language === 'sh') execFileSync('bash', ['-n', '-c', text], { stdio: ['ignore', 'ignore', 'pipe'] })
      expect(place).toBeTruthy()
    }
  })

  test('carry no flag but not-run', () => {
    const wrong = all.filter(
      ({ language, flags }) => language === 'sh' && flags.some((flag) => flag !== 'not-run'),
    )
    expect(wrong.map(({ place }) => place)).toEqual([])
  })
})

const runnable = pages
  .map(({ path, fences }) => ({ path, fences: fences.filter(isRun) }))
  .filter(({ fences }) => fences.length > 0)

describe.runIf(runnable.length > 0)(
  'the commands of a page, run in order in a fresh copy of the tree',
  () => {
    test.each(runnable)('$path', async ({ fences }) => {
      const { code, output } = await runPage(fences, 280_000)
      // The output is shown only when a command fails.
      expect(code === 0 ? '' : `exit ${code}\n${output}`).toBe('')
    })
  },
)
