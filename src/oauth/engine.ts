import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JWK, Provider } from 'oidc-provider'
import { type Clock, type Log, limits } from '../kernel/index.ts'

export interface EngineDependencies {
  loadKeys(): Promise<readonly JWK[]>
  /** A new instance of the library for these keys; about 2 ms. */
  makeProvider(keys: readonly JWK[]): Provider
  readonly clock: Clock
  readonly log: Log
}

/** The library at work. Its keys are fixed when an instance is made, so a rotation is a new instance behind the mount. */
export interface Engine {
  /** The instance of now; not to be kept. */
  readonly provider: Provider
  /** Answers with keys as they were at most `limits.signingKeysFreshMs` ago. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>
}

function nameOf(keys: readonly JWK[]): string {
  return keys.map(({ kid }) => kid).join(' ')
}

/** @throws oauth.secret_key_wrong */
export async function makeEngine(deps: EngineDependencies): Promise<Engine> {
  const { clock, log } = deps

  function instanceOf(keys: readonly JWK[]) {
    const provider = deps.makeProvider(keys)
    return { name: nameOf(keys), provider, callback: provider.callback() }
  }

  let readAtMs = clock.nowMs()
  let instance = instanceOf(await deps.loadKeys())
  let reading: Promise<void> | null = null

  async function read(): Promise<void> {
    const startedAtMs = clock.nowMs()
    try {
      const keys = await deps.loadKeys()
      // Requests that are under way end on the instance they began with.
      if (nameOf(keys) !== instance.name) instance = instanceOf(keys)
      readAtMs = startedAtMs
    } catch (error) {
      // What is being answered needs the database too and will say so; the keys of before are good for a while.
      log.warn({ err: error }, 'oauth.signing_keys_not_read')
    }
  }

  return {
    get provider() {
      return instance.provider
    },
    async answer(request, response) {
      if (clock.nowMs() - readAtMs > limits.signingKeysFreshMs) {
        reading ??= read().finally(() => {
          reading = null
        })
        await reading
      }
      await instance.callback(request, response)
    },
  }
}
