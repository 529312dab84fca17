import type { HostCallFailureCode, RunFailureCode } from '../abi/index.ts'

/** What a code means, the same for every occurrence. Both tables are printed into docs/reference. */
interface EngineError {
  readonly title: string
  readonly fix: string
}

/** Why a run failed. */
export const runFailures: Readonly<Record<RunFailureCode, EngineError>> = {
  'sandbox.fuel_exhausted': {
    title: 'The handler used up its computing budget',
    fix: 'Do less per event: fewer loops, no parsing of large texts.',
  },
  'sandbox.time_exceeded': {
    title: 'The handler took longer than it may',
    fix: 'Make fewer host calls, or make them at the same time.',
  },
  'sandbox.memory_exceeded': {
    title: 'The handler needed more memory than it may use',
    fix: 'Keep less at once; read lists page by page.',
  },
  'sandbox.stack_exceeded': {
    title: 'The handler called too deeply',
    fix: 'End the recursion, or turn it into a loop.',
  },
  'sandbox.handler_threw': {
    title: 'The handler threw',
    fix: 'Look at the message and the stack of the attempt; catch what is expected.',
  },
  'sandbox.handler_missing': {
    title: 'The bundle has no handler for this event type',
    fix: 'Register one with on(type, handler), or leave the type out of the manifest.',
  },
  'sandbox.never_settled': {
    title: 'The handler waits for a promise that nothing can settle any more',
    fix: 'Return only promises of host calls, or resolve your own.',
  },
  'sandbox.load_failed': {
    title: 'The bundle could not be loaded',
    fix: 'Upload one classic script that parses and does not throw while it loads.',
  },
  'sandbox.result_too_large': {
    title: 'The result is larger or more deeply nested than it may be',
    fix: 'Return less, or nothing; the result is only kept for you to read.',
  },
  'sandbox.too_many_host_calls': {
    title: 'The handler made more host calls than it may',
    fix: 'Read lists instead of single items.',
  },
  'sandbox.worker_killed': {
    title: 'The sandbox ended unexpectedly',
    fix: 'Nothing at first: it is tried again. If it stays, look for what the handler does with much memory.',
  },
  'sandbox.pool_full': {
    title: 'Too many runs are waiting for a sandbox',
    fix: 'Nothing: the delivery comes again, and no attempt is counted.',
  },
  'sandbox.closed': {
    title: 'The sandboxes are shutting down',
    fix: 'Nothing: the delivery comes again, and no attempt is counted.',
  },
}

/** Why a host call got no answer of the host's own: what the handler's `await` throws. */
export const hostCallFailures: Readonly<Record<HostCallFailureCode, EngineError>> = {
  'sandbox.host_failed': {
    title: 'The platform could not answer',
    fix: 'Let the handler fail: the event is delivered again.',
  },
  'sandbox.host_function_unknown': {
    title: 'There is no such host function here',
    fix: 'Use a host function that the platform declares.',
  },
  'sandbox.input_too_large': {
    title: 'The input is larger or more deeply nested than it may be',
    fix: 'Send less in one call.',
  },
  'sandbox.reply_too_large': {
    title: 'The answer is larger than it may be',
    fix: 'Ask for a smaller page.',
  },
  'sandbox.call_abandoned': {
    title: 'The run ended before the answer came',
    fix: 'Await every host call; the call itself may have been carried out.',
  },
}
