import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { HostCall, HostReply } from '../abi/index.ts'
import { boot, checkProgram, type Engine, loadFailedReport } from '../engine/index.ts'
import { bootstrapSource } from '../guest/index.ts'
import { nodeClock } from './clock.ts'
import type { FromThread, Task, ThreadSettings, ToThread } from './messages.ts'

// The code of a sandbox thread: an engine, and a port over which it takes one task after the other.

interface Thread {
  readonly port: MessagePort
  readonly engine: Engine
  /** Host calls without a reply. A reply to a call of an earlier run finds nothing here. */
  readonly waiting: Map<number, (reply: HostReply) => void>
}

function tell({ port }: Pick<Thread, 'port'>, message: FromThread): void {
  port.postMessage(message)
}

async function run(
  thread: Thread,
  task: Extract<Task, { kind: 'run' }>,
  nextCallId: () => number,
): Promise<void> {
  const { engine, waiting } = thread
  const { program, invocation } = task
  const onHostCall = (call: HostCall): Promise<HostReply> =>
    new Promise((resolve) => {
      const callId = nextCallId()
      waiting.set(callId, resolve)
      tell(thread, { kind: 'call', callId, call })
    })
  // The program's first task loads it; later ones find it loaded, by the `restore` below.
  const loaded = await engine.snapshot(program, invocation.limits.memoryBytesMax)
  tell(thread, { kind: 'running' })
  if (!loaded.ok) {
    tell(thread, { kind: 'finished', report: loadFailedReport(invocation.runId, loaded.problem) })
    return
  }
  const report = await engine.invoke(loaded.snapshot, invocation, onHostCall, (text) =>
    tell(thread, { kind: 'log', text }),
  )
  waiting.clear()
  tell(thread, { kind: 'finished', report })
  await engine.restore(loaded.snapshot)
}

async function perform(thread: Thread, task: Task, nextCallId: () => number): Promise<void> {
  if (task.kind === 'run') await run(thread, task, nextCallId)
  else tell(thread, { kind: 'checked', check: await checkProgram(thread.engine, task.program) })
  tell(thread, { kind: 'idle' })
}

async function main(port: MessagePort, settings: ThreadSettings): Promise<void> {
  const engine = await boot({ ...settings, guestSource: bootstrapSource, clock: nodeClock })
  const thread: Thread = { port, engine, waiting: new Map() }
  let lastCallId = 0
  const nextCallId = (): number => {
    lastCallId += 1
    return lastCallId
  }
  port.on('message', (message: ToThread) => {
    if (message.kind === 'task') {
      // A rejection here is a defect of ours: it ends the thread, and the pool replaces it.
      void perform(thread, message.task, nextCallId)
      return
    }
    thread.waiting.get(message.callId)?.(message.reply)
    thread.waiting.delete(message.callId)
  })
  tell(thread, { kind: 'ready' })
}

if (parentPort === null) throw new Error('this file runs in a worker thread')
await main(parentPort, workerData as ThreadSettings)
