import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** What a server under load tells the bench when it listens. */
export interface Credentials {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  /** One per connection of the load: each has an authorization of its own. */
  readonly clients: readonly {
    readonly accessToken: string
    readonly refreshToken: string
    /** Path of something that the access token may read. */
    readonly readPath: string
  }[]
}

/** A server in a process of its own, so that it does not share the loop of what loads it. */
export interface Peer extends Credentials {
  stop(): Promise<void>
}

/** Starts `file` beside this one and waits until it listens. */
export async function startPeer(file: string, settings: Readonly<Record<string, string>>): Promise<Peer> {
  const child = fork(path.join(import.meta.dirname, file), [], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...settings },
  })
  const exited = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), exited.then(() => null)])
  if (first === null) throw new Error(`${file} ended before it listened`)
  const [credentials] = first as [Credentials]
  return {
    ...credentials,
    async stop() {
      child.send('stop')
      await exited
    },
  }
}

/** Tells the bench, and ends when it says so or has gone. */
export function serveBench(credentials: Credentials, stop: () => Promise<void>): void {
  process.send?.(credentials)
  const end = () => void stop().finally(() => process.exit(0))
  process.once('message', end)
  process.once('disconnect', end)
}
