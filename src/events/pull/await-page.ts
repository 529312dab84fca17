import type { Places } from '../../kernel/index.ts'
import { StreamErrors } from './errors.ts'
import { type PageRequest, type ReadDependencies, readStream, type StreamPage } from './read-stream.ts'
import type { StreamWatch } from './watch-streams.ts'

export interface AwaitDependencies extends ReadDependencies {
  readonly watch: StreamWatch
  /** How many may wait here at once. */
  readonly places: Places
}

export interface Patience {
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}

function takePlace(places: Places, appId: string): void {
  const headers = { 'retry-after': '1' }
  const outcome = places.take(appId)
  if (outcome === 'key_is_full') throw StreamErrors.too_many_waiting(undefined, { headers })
  if (outcome === 'full') throw StreamErrors.no_room_to_wait(undefined, { headers })
}

async function waitForPage(
  deps: AwaitDependencies,
  appId: string,
  request: PageRequest,
  { first, deadlineMs, signal }: Pick<Patience, 'signal'> & { first: StreamPage; deadlineMs: number },
): Promise<StreamPage> {
  let page = first
  while (page.items.length === 0) {
    const leftMs = deadlineMs - deps.clock.nowMs()
    if (leftMs <= 0) break
    // Of an app that is held back nothing new may be shown either: only time is waited for.
    const sequence = page.isHeld ? BigInt(Number.MAX_SAFE_INTEGER) : page.lastSequence
    if (!(await deps.watch.wait(appId, sequence, { timeoutMs: leftMs, signal }))) break
    page = await readStream(deps, appId, { ...request, after: page.nextAfter })
  }
  return page
}

/**
 * The next part of the stream, at once when there is one, else as soon as there is, at most `waitMs` from now.
 * @throws stream.sequence_ahead, stream.too_many_waiting, stream.no_room_to_wait
 */
export async function awaitPage(
  deps: AwaitDependencies,
  appId: string,
  request: PageRequest,
  { waitMs, signal }: Patience,
): Promise<StreamPage> {
  const deadlineMs = deps.clock.nowMs() + waitMs
  const first = await readStream(deps, appId, request)
  if (first.items.length > 0 || waitMs === 0) return first
  takePlace(deps.places, appId)
  try {
    return await waitForPage(deps, appId, request, { first, deadlineMs, signal })
  } finally {
    deps.places.leave(appId)
  }
}
