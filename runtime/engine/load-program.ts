import type { Program, ProgramCheck, ProgramProblem } from '../abi/index.ts'
import { failure, thrownFailure } from './failure.ts'
import { makeLogBuffer } from './logs.ts'
import type { Meter } from './meter.ts'
import { guestMessageKinds, type Realm, type RealmListener } from './realm.ts'
import { parseGuestJson } from './text.ts'

/** What a bundle may print while loading, in bytes. */
export const loadLogBytesMax = 16 * 1024
const handlerTypesLengthMax = 64 * 1024

interface Loading {
  readonly listener: RealmListener
  readonly logs: ReturnType<typeof makeLogBuffer>
  handlerTypes: readonly string[] | undefined
  thrown: unknown
}

function problem(message: string, more: Partial<ProgramProblem> = {}): ProgramCheck {
  return { ok: false, problem: { code: 'sandbox.load_failed', message, ...more } }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function startLoading(meter: Meter): Loading {
  const logs = makeLogBuffer(loadLogBytesMax)
  const listener: RealmListener = {
    mustEnd: (atInterrupt) => (atInterrupt ? meter.poll() : meter.isLate()),
    onMessage(kind, length, read) {
      if (meter.tripped !== undefined || length > handlerTypesLengthMax) return
      const value = parseGuestJson(read() ?? '')?.value
      if (kind === guestMessageKinds.log && !logs.isFull()) logs.append(String(value))
      else if (kind === guestMessageKinds.failed) loading.thrown ??= value
      else if (kind === guestMessageKinds.loaded && isTextList(value)) loading.handlerTypes ??= value
    },
  }
  const loading: Loading = { listener, logs, handlerTypes: undefined, thrown: undefined }
  return loading
}

/** Where in the bundle: the first frame of `stack` that is in it. */
function positionIn(stack: string, fileName: string): Pick<ProgramProblem, 'line' | 'column'> {
  for (const line of stack.split('\n')) {
    const start = line.indexOf(`${fileName}:`)
    const [, row, column] =
      start < 0 ? [] : (/^(\d+)(?::(\d+))?\)?$/.exec(line.slice(start + fileName.length + 1)) ?? [])
    if (row !== undefined)
      return { line: Number(row), ...(column === undefined ? {} : { column: Number(column) }) }
  }
  return {}
}

function thrownProblem(thrown: unknown, fileName: string): ProgramCheck {
  const { message, stack } = thrownFailure(thrown)
  if (stack === undefined) return problem(message)
  return problem(message, { stack, ...positionIn(stack, fileName) })
}

/** What can be said about a program without running it. */
export function checkSource(program: Program): ProgramCheck | undefined {
  if (!/^[^\p{Cc}:()]{1,200}$/u.test(program.fileName))
    return problem('The file name cannot be shown in stacks')
  // The engine would take NUL for an end and half a surrogate pair for another character: not what was reviewed.
  const at = Math.max(program.source.indexOf('\0'), program.source.search(/\p{Cs}/u))
  if (at >= 0) {
    const before = program.source.slice(0, at).split('\n')
    const position = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
    return problem('The bundle contains a NUL or half of a surrogate pair', position)
  }
  const unfit = program.hostFunctions.find((name) => !/^[a-z]\w{0,49}(\.[a-z]\w{0,49}){1,3}$/.test(name))
  return unfit === undefined ? undefined : problem(`${unfit} cannot be the name of a host function`)
}

/** Evaluates the bundle in a fresh realm and closes `on`. The realm is good for one run afterwards. */
export function loadProgram(realm: Realm, program: Program, meter: Meter): ProgramCheck {
  const loading = startLoading(meter)
  realm.setListener(loading.listener)
  if (realm.evaluate(program.source, program.fileName)) {
    realm.runJobs()
    realm.send('{"kind":"seal"}')
  }
  const ended = meter.tripped ?? realm.fault
  if (ended !== undefined) return problem(`The bundle did not finish loading. ${failure(ended).message}`)
  if (loading.handlerTypes === undefined) return thrownProblem(loading.thrown, program.fileName)
  return { ok: true, handlerTypes: loading.handlerTypes, logs: loading.logs.text }
}
