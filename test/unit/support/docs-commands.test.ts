import { describe, expect, test } from 'vitest'
import { commandsOfCi, isRun, readFences } from '../../support/docs-commands.ts'

const page = `# Page

\`\`\`sh
npm install && npm start
\`\`\`

1. In a list

   \`\`\`sh not-run
   docker compose up
     --build
   \`\`\`

~~~json
{ "a": "\`\`\`sh" }
~~~
`

describe('readFences', () => {
  test('finds every block with its place, language and flags', () => {
    expect(readFences('README.md', page)).toEqual([
      { place: 'README.md:3', language: 'sh', flags: [], text: 'npm install && npm start' },
      { place: 'README.md:9', language: 'sh', flags: ['not-run'], text: 'docker compose up\n  --build' },
      { place: 'README.md:14', language: 'json', flags: [], text: '{ "a": "```sh" }' },
    ])
  })

  test('only sh blocks without not-run are run', () => {
    expect(
      readFences('README.md', page)
        .filter(isRun)
        .map(({ place }) => place),
    ).toEqual(['README.md:3'])
  })

  test('refuses a block that is not closed', () => {
    expect(() => readFences('a.md', '```sh\nls\n')).toThrow('a.md:1')
  })
})

test('commandsOfCi finds the steps and leaves their options out', () => {
  const script = `step 'check' npm run check\ntests 'tests' npm test\nX=1 tests 'docs' npm run test:docs --\nstep 'x' ls\n`
  expect(commandsOfCi(script)).toEqual(['npm run check', 'npm test', 'npm run test:docs'])
})
