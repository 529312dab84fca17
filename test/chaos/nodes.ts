import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { freePort } from '../../examples/demo/processes.ts'
import { type StoaProcess, startStoa } from '../process/support/stoa.ts'

type Environment = Readonly<Record<string, string>>

/** One place of the platform in which a Stoa process runs, and another after it was killed. */
export interface Node {
  readonly name: string
  readonly baseUrl: string
  /** Starts a process whose clock runs `skewMs` ahead; resolves when it answers. */
  start(skewMs: number): Promise<void>
  /** kill -9 */
  kill(): Promise<void>
  processId(): number
  /** Everything its processes wrote to standard error. */
  log(): readonly string[]
}

const preload = pathToFileURL(path.join(import.meta.dirname, 'clock-skew.mjs')).href

function clockOf(skewMs: number): Environment {
  return skewMs === 0 ? {} : { NODE_OPTIONS: `--import ${preload}`, CLOCK_SKEW_MS: String(skewMs) }
}

/** Makes a node that always listens on the same port, as one behind a load balancer does. */
export async function makeNode(
  name: string,
  { dataDir, env }: { readonly dataDir: string; readonly env: Environment },
): Promise<Node> {
  const port = await freePort()
  const earlier: string[] = []
  let stoa: StoaProcess | null = null
  return {
    name,
    baseUrl: `http://127.0.0.1:${port}`,
    async start(skewMs) {
      const started = startStoa(dataDir, { ...env, ...clockOf(skewMs), PORT: String(port) })
      stoa = started
      await started.listening()
    },
    async kill() {
      const killed = stoa
      stoa = null
      await killed?.kill()
      earlier.push(...(killed?.stderr ?? []))
    },
    processId: () => stoa?.pid ?? 0,
    log: () => [...earlier, ...(stoa?.stderr ?? [])],
  }
}
