import { limits } from '../../kernel/index.ts'
import type { Queue } from '../../queue/index.ts'
import type { Replayer } from './replayer.ts'

const replays = 'webhooks.replays'

/** Who goes on with a replay: this process, when it works on replays; otherwise the queue finds one. */
export function makeWakeReplay(
  queue: Pick<Queue, 'wake'>,
  replayer: () => Replayer | null,
): (replayId: string) => void {
  return (replayId) => {
    const here = replayer()
    if (here === null) void queue.wake(replays, { key: replayId })
    else here.wake(replayId)
  }
}

/** Works on replays in this process: those that are woken, and every second those that nobody works on. */
export async function startReplayJobs(
  queue: Pick<Queue, 'work' | 'every'>,
  replayer: Replayer,
): Promise<void> {
  const wake = (replayId: string) => Promise.resolve(replayer.wake(replayId))
  queue.work(replays, wake, { concurrency: limits.replaysMax })
  queue.every(replays, limits.replaySweepMs, () => replayer.sweep())
  await replayer.start()
}
