import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Order, Report } from './receiver.ts'

type Count = Extract<Report, { kind: 'report' }>

/** A receiver in a process of its own, so that it does not share the sender's loop. */
export interface ReceiverProcess {
  readonly origin: string
  order(order: Extract<Order, { kind: 'reset' | 'hang' }>): void
  report(): Promise<Count>
  stop(): Promise<void>
}

/** Starts a receiver on a free port of loopback. */
export async function startReceiver(): Promise<ReceiverProcess> {
  const child = fork(path.join(import.meta.dirname, 'receiver.ts'), [], { execArgv: ['--import', 'tsx'] })
  const next = async <K extends Report['kind']>(kind: K) => {
    const [report] = (await once(child, 'message')) as [Report]
    if (report.kind !== kind) throw new Error(`the receiver said ${report.kind}, not ${kind}`)
    return report as Extract<Report, { kind: K }>
  }
  const { port } = await next('listening')
  return {
    origin: `http://127.0.0.1:${port}`,
    order: (order) => void child.send(order),
    async report() {
      const answer = next('report')
      child.send({ kind: 'report' } satisfies Order)
      return answer
    },
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
