import type { Command } from 'commander'
import { callHost, type ServerOptions, withServerOptions } from './server.ts'

interface SigningKeys {
  readonly data: readonly {
    readonly kid: string
    readonly state: string
    readonly signsFrom: string
    readonly publishedUntil: string | null
  }[]
}

function print({ data }: SigningKeys): void {
  for (const { kid, state, signsFrom, publishedUntil } of data) {
    const until = publishedUntil === null ? '' : `  published until ${publishedUntil}`
    process.stdout.write(`${state.padEnd(8)}  ${kid}  signs from ${signsFrom}${until}\n`)
  }
}

/** `stoa keys …`: the keys that sign ID tokens. */
export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('the keys that sign ID tokens')
  withServerOptions(keys.command('list').description('next, current and previous')).action(
    async (options: ServerOptions) => print(await callHost(options, 'GET', '/host/v1/signing-keys')),
  )
  withServerOptions(
    keys.command('rotate').description('make the next key; it signs when everybody can know it'),
  ).action(async (options: ServerOptions) =>
    print(await callHost(options, 'POST', '/host/v1/signing-keys:rotate')),
  )
}
