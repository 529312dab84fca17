import { Worker } from 'node:worker_threads'
import type { HostReply, RunFailureCode } from '../abi/index.ts'
import type { FromThread, Task, ThreadSettings, ToThread } from './messages.ts'

/** What a task's owner hears. Exactly one of `onEnd` and `onLost` comes, once. */
export interface TaskListener {
  onRunning(): void
  onLog(text: string): void
  onCall(message: Extract<FromThread, { kind: 'call' }>, reply: (reply: HostReply) => void): Promise<void>
  onEnd(message: Extract<FromThread, { kind: 'finished' | 'checked' }>): void
  /** The thread is gone and the task with it. */
  onLost(code: RunFailureCode): void
}

export interface ThreadEvents {
  /** The thread can take a task. */
  onIdle(): void
  /** The thread has ended, for whatever reason; once. */
  onExit(error: unknown): void
}

/** One sandbox thread, seen from the platform's. */
export interface Thread {
  /** Gives it a task; only while idle. */
  give(task: Task, listener: TaskListener): void
  /** Ends it even in the middle of a native loop; its task is lost with `code`. Resolves when it is gone. */
  kill(code: RunFailureCode): Promise<void>
}

// Run from source the thread needs the loader in front; a build has no TypeScript left.
const entry = import.meta.url.endsWith('.ts') ? './sandbox-worker-source.mjs' : './sandbox-worker.js'

const resourceLimits = {
  /** With 8 MB the guest's 256 KiB end before the thread's own stack does, on every path of the engine. */
  stackSizeMb: 8,
  /** For the host's side of a run; Wasm memory is not part of it. */
  maxOldGenerationSizeMb: 256,
}

/** Starts a thread with none of the process's environment, arguments or loaders. */
export function startThread(settings: ThreadSettings, events: ThreadEvents): Thread {
  const worker = new Worker(new URL(entry, import.meta.url), {
    execArgv: [],
    argv: [],
    env: {},
    workerData: settings,
    resourceLimits,
    name: 'stoa-sandbox',
  })
  let listener: TaskListener | undefined
  let gone = false
  const post = (message: ToThread): void => worker.postMessage(message)

  const end = (code: RunFailureCode, error: unknown): void => {
    if (gone) return
    gone = true
    const lost = listener
    listener = undefined
    lost?.onLost(code)
    events.onExit(error)
  }
  const onMessage = (message: FromThread): void => {
    switch (message.kind) {
      case 'ready':
      case 'idle':
        events.onIdle()
        return
      case 'running':
        listener?.onRunning()
        return
      case 'log':
        listener?.onLog(message.text)
        return
      case 'call':
        void listener?.onCall(message, (reply) => post({ kind: 'reply', callId: message.callId, reply }))
        return
      case 'finished':
      case 'checked': {
        const ended = listener
        listener = undefined
        ended?.onEnd(message)
      }
    }
  }
  worker.on('message', (message: FromThread) => {
    // What a killed thread had still sent belongs to a task that has been answered.
    if (!gone) onMessage(message)
  })
  worker.on('error', (error) => end('sandbox.worker_killed', error))
  worker.on('exit', (status) =>
    end('sandbox.worker_killed', new Error(`a sandbox thread exited with ${status}`)),
  )
  return {
    give(task, taskListener) {
      listener = taskListener
      post({ kind: 'task', task })
    },
    async kill(code) {
      const terminated = worker.terminate()
      end(code, undefined)
      await terminated
    },
  }
}
