// npm run bench                  lists the benches
// npm run bench -- NAME [option…]  runs one; its last line is one JSON object of ratios
import { oauthBench } from './oauth/bench.ts'
import { webhooksBench } from './webhooks/bench.ts'

interface Bench {
  readonly summary: string
  /** What it takes, one line each. */
  readonly options: readonly string[]
  run(options: readonly string[]): Promise<object>
}

const benches: Readonly<Record<string, Bench>> = {
  oauth: oauthBench,
  webhooks: webhooksBench,
}

function list(): void {
  console.log('npm run bench -- NAME [option…]\n')
  for (const [name, { summary, options }] of Object.entries(benches)) {
    console.log(`${name}  ${summary}`)
    for (const option of options) console.log(`    ${option}`)
  }
}

async function main([name, ...options]: readonly string[]): Promise<number> {
  if (name === undefined) {
    list()
    return 0
  }
  const bench = benches[name]
  if (bench === undefined) {
    console.error(`no bench ${name}; there are: ${Object.keys(benches).join(', ')}`)
    return 2
  }
  console.log(JSON.stringify(await bench.run(options)))
  return 0
}

process.exitCode = await main(process.argv.slice(2))
