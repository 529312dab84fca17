import type { Receiver, Sink } from '../events/index.ts'
import { limits } from '../kernel/index.ts'
import type { SandboxDependencies } from './dependencies.ts'
import { makeProgramLoader } from './load-program.ts'
import { runHandler } from './run-handler.ts'

/** The way into mini-programs: a delivery's handler runs in QuickJS, its host calls pass through the door. */
export function sandboxSink(deps: SandboxDependencies): Sink {
  const loadProgram = makeProgramLoader(deps)
  const receiver: Receiver = {
    concurrencyMax: limits.sandboxRunsPerAppMax,
    adaptive: false,
    fifo: false,
    ratePerSecond: null,
    probing: false,
    startSequence: 0n,
    deliver: (delivery) => runHandler(deps, loadProgram, delivery),
  }
  return { open: () => Promise.resolve(receiver) }
}
