import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { freePort } from '../../examples/demo/processes.ts'
import { until } from '../../examples/demo/steps.ts'

/** A PostgreSQL of this run alone. */
export interface Cluster {
  readonly url: string
  start(): Promise<void>
  /** SIGQUIT to the postmaster: every session is cut off and nothing is written down; the next start replays its log. */
  crash(): Promise<void>
  /** Ends the sessions of everybody else; gives how many. */
  endSessions(): Promise<number>
  /** Ends it in order. */
  stop(): Promise<void>
}

const startMs = 60_000
const debianFolder = '/usr/lib/postgresql'

function findBinaries(): string | null {
  if (!existsSync(debianFolder)) return null
  const newest = readdirSync(debianFolder)
    .sort((a, b) => Number(a) - Number(b))
    .at(-1)
  const bin = path.join(debianFolder, newest ?? '', 'bin')
  return existsSync(path.join(bin, 'initdb')) ? bin : null
}

/** Whether Debian's PostgreSQL is installed. */
export function hasPostgresql(): boolean {
  return findBinaries() !== null
}

// PostgreSQL refuses to run as root.
function ownIdentity(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const ask = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: ask('-u'), gid: ask('-g') }
}

async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

/** Makes the cluster in a folder below `folder`, which every user must be able to enter. */
export async function makeCluster(folder: string): Promise<Cluster> {
  const bin = findBinaries()
  if (bin === null) throw new Error(`no PostgreSQL in ${debianFolder}: apt-get install postgresql`)
  const identity = ownIdentity()
  const data = path.join(folder, 'postgresql')
  mkdirSync(data)
  if (identity !== null) chownSync(data, identity.uid, identity.gid)
  const options = { ...identity, cwd: '/', env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } }
  const made = spawnSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...options, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stdout}${made.stderr}`)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let server: ChildProcess | null = null

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server === null) return
    const ending = server
    server = null
    ending.kill(signal)
    await ended(ending)
  }

  return {
    url,
    async start() {
      // fsync stays on: that a commit outlives the crash is what is tested. Sessions of a killed process linger for a
      // while beside those of its replacement: more than the default of 100.
      const settings = [
        'listen_addresses=127.0.0.1',
        'max_connections=200',
        `unix_socket_directories=${data}`,
      ]
      const flags = settings.flatMap((text) => ['-c', text])
      server = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
        ...options,
        stdio: 'ignore',
      })
      await until('an answer of PostgreSQL', startMs, () =>
        asAdmin(url, (client) => client.query('select 1')).catch(() => null),
      )
    },
    crash: () => end('SIGQUIT'),
    endSessions: () =>
      asAdmin(url, async (client) => {
        const { rowCount } = await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where pid <> pg_backend_pid() and backend_type = 'client backend'`,
        )
        return rowCount ?? 0
      }),
    stop: () => end('SIGINT'),
  }
}
