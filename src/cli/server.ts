import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'

/** An expected failure: one line, no stack. */
export class CliError extends Error {
  override readonly name = 'CliError'
}

/** How a server command reaches its server. */
export interface ServerOptions {
  readonly url: string
  readonly dataDir: string
  readonly hostKeyFile?: string | undefined
  readonly hostKey?: string | undefined
}

const requestMs = 15_000

/** The options of every server command; each may stand in the environment, under the name the server itself has for it. */
export function withServerOptions(command: Command): Command {
  return (
    command
      .addOption(
        new Option('--url <address>', 'of the server')
          .env('STOA_PUBLIC_URL')
          .default('http://localhost:4000'),
      )
      .addOption(new Option('--host-key-file <file>', 'with the host key').env('STOA_HOST_KEY_FILE'))
      .addOption(
        new Option('--data-dir <folder>', 'of an embedded server: its host key is there')
          .env('STOA_DATA_DIR')
          .default('.stoa'),
      )
      // From the environment alone: what stands on a command line every user of the machine can read.
      .addOption(new Option('--host-key <key>').env('STOA_HOST_KEY').hideHelp())
  )
}

function hostKeyOf({ hostKey, hostKeyFile, dataDir }: ServerOptions): string {
  if (hostKey !== undefined && hostKey !== '') return hostKey
  const file = hostKeyFile ?? join(dataDir, 'host.key')
  if (!existsSync(file))
    throw new CliError(`no host key: set STOA_HOST_KEY, or name its file (${file} is missing)`)
  return readFileSync(file, 'utf8').trim()
}

interface Problem {
  readonly code?: string
  readonly detail?: string
}

/** One call of the host API. */
export async function callHost<T>(options: ServerOptions, method: 'GET' | 'POST', path: string): Promise<T> {
  if (!URL.canParse(path, options.url)) throw new CliError(`--url: ${options.url} is no address`)
  const headers = { authorization: `Bearer ${hostKeyOf(options)}` }
  let response: Response
  try {
    // The key goes to the address that was given and nowhere else.
    const signal = AbortSignal.timeout(requestMs)
    response = await fetch(new URL(path, options.url), { method, headers, redirect: 'error', signal })
  } catch (error) {
    throw new CliError(`${options.url} does not answer`, { cause: error })
  }
  const text = await response.text()
  if (response.ok) return JSON.parse(text) as T
  const { code, detail } = problemOf(text)
  throw new CliError(
    `${options.url} answered ${response.status}${code === undefined ? '' : ` ${code}: ${detail}`}`,
  )
}

function problemOf(text: string): Problem {
  try {
    return JSON.parse(text) as Problem
  } catch {
    return {}
  }
}
