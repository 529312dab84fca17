#!/usr/bin/env -S node --import tsx
import { Command, CommanderError } from 'commander'
import { addKeyCommands } from './keys.ts'
import { CliError } from './server.ts'

/** `stoa <noun> <verb>`: what an operator does to a running server, by its own API. */
function makeProgram(): Command {
  const program = new Command('stoa')
    .description('Commands for a running Stoa')
    .showHelpAfterError()
    .exitOverride()
  addKeyCommands(program)
  return program
}

async function main(): Promise<number> {
  try {
    await makeProgram().parseAsync()
    return 0
  } catch (error) {
    // commander has printed what was wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode
    if (!(error instanceof CliError)) throw error
    process.stderr.write(`stoa: ${error.message}\n`)
    return 1
  }
}

process.exitCode = await main()
