import { type Clock, KernelErrors, type Queries, type Random, type Transaction } from '../kernel/index.ts'
import {
  type AccessRecord,
  type MerchantUse,
  merchantOf,
  type Recorder,
  refusalOf,
  rowsOf,
} from './access-record.ts'
import { applyBounds, boundExceeded } from './apply-bounds.ts'
import { authorize } from './authorize.ts'
import type { BoundCounters, Charge } from './bound.ts'
import { type Caller, installationOf } from './caller.ts'
import type { Catalog, CompiledOperation } from './catalog.ts'
import type { NewEvent, ReadContext, Via } from './define.ts'
import { CapabilityErrors } from './errors.ts'
import { claimOf, type IdempotencyStore, onceByKey } from './idempotency.ts'
import { tenantMemberOf } from './refusals.ts'

/** Platform rules: throws when the caller may not use this operation now; gives the caller with what rules leave it. */
export type RulesCheck = (caller: Caller, operation: CompiledOperation) => Promise<Caller>

export interface DoorDependencies {
  readonly catalog: Catalog
  readonly queries: Queries
  runInTransaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T>
  publish(tx: Transaction, event: NewEvent): Promise<string>
  readonly recorder: Recorder
  readonly idempotency: IdempotencyStore
  readonly boundCounters: BoundCounters
  readonly checkRules: RulesCheck
  readonly clock: Clock
  readonly random: Random
}

export interface Call {
  readonly caller: Caller
  readonly input: unknown
  /**
   * Reads the whole input out of what was sent; `input` is what is known without that. Called once the caller is known
   * to be allowed: a stranger's body is not looked at. What it throws is the call's refusal.
   */
  readonly readInput?: () => unknown
  /** The raw body of an operation with `binaryInput`. */
  readonly body?: Uint8Array
  readonly via: Via
  readonly requestId: string
  /** Aborted when the caller has gone. */
  readonly signal?: AbortSignal
  readonly idempotencyKey?: string
  readonly requestHash?: string
}

export interface Answer {
  readonly status: number
  readonly output: unknown
  /** The answer of an earlier request with the same Idempotency-Key. */
  readonly replayed: boolean
}

export interface Door {
  /**
   * authenticate (done by the caller of this) → rules → scope and role → input → bounds → handle → output → record.
   * A bound is about what the input says, so it is held against it as soon as the input has its shape.
   */
  invoke(operationId: string, call: Call): Promise<Answer>
}

/** One call on its way through the door. */
interface Passage {
  readonly compiled: CompiledOperation
  readonly call: Call
  readonly tenantIds: readonly string[]
  /** What counts against the bounds of the grant, and by whose counters. */
  readonly spending: Spending | null
  readonly startedAtMs: number
  readonly about: About
}

interface Spending {
  readonly owner: { readonly merchantId: string; readonly installationId: string }
  readonly charges: readonly Charge[]
}

/** A call of which nothing has been checked yet. */
type Arrived = Omit<Passage, 'tenantIds' | 'spending'>

/** Whose data the operation found itself to be about. */
interface About {
  merchantId: string | null
  personal: boolean
  /** Of several merchants; null: the operation is about one at most. */
  uses: readonly MerchantUse[] | null
}

const noBody = new Uint8Array()

function statusOf({ operation }: CompiledOperation): number {
  return operation.status ?? (operation.output.json['x-nothing'] === true ? 204 : 200)
}

function checkInput({ checkInput: check, operation }: CompiledOperation, input: unknown): void {
  const errors = check(input)
  if (errors.length === 0) return
  throw CapabilityErrors.invalid_input(`the input of ${operation.id} is not what its schema says`, { errors })
}

function checkOutput({ checkOutput: check, operation }: CompiledOperation, output: unknown): void {
  const errors = check(output)
  if (errors.length === 0) return
  throw CapabilityErrors.invalid_output(`output of ${operation.id}: ${JSON.stringify(errors)}`)
}

/** A tenant named in the input must be one of the caller's; otherwise it is as if it did not exist. */
function checkTenant({ operation }: CompiledOperation, tenantIds: readonly string[], input: unknown): void {
  const member = tenantMemberOf(operation)
  if (member === undefined || typeof input !== 'object' || input === null) return
  const tenantId = (input as Readonly<Record<string, unknown>>)[member]
  if (typeof tenantId === 'string' && !tenantIds.includes(tenantId)) throw CapabilityErrors.not_found()
}

function isPersonal({ operation }: CompiledOperation, caller: Caller): boolean {
  return operation.personalData?.(caller) === true
}

function recordOf(
  deps: DoorDependencies,
  { compiled, call, startedAtMs, about }: Arrived,
  result: Pick<AccessRecord, 'outcome' | 'code' | 'rows'>,
): AccessRecord {
  return {
    caller: call.caller,
    operation: compiled.operation.id,
    via: call.via,
    merchantId: merchantOf(call.caller, call.input, about.merchantId),
    personal: result.outcome === 'ok' && (about.personal || isPersonal(compiled, call.caller)),
    requestId: call.requestId,
    atMs: startedAtMs,
    durationMs: deps.clock.nowMs() - startedAtMs,
    ...result,
  }
}

/** One record, or one per merchant where the operation told several. */
function recordsOf(
  deps: DoorDependencies,
  passage: Passage,
  result: Pick<AccessRecord, 'outcome' | 'code' | 'rows'>,
): readonly AccessRecord[] {
  const whole = recordOf(deps, passage, result)
  return passage.about.uses?.map((use) => ({ ...whole, ...use })) ?? [whole]
}

// What nobody did to nobody's data has nobody to be shown to: the request log has it.
function isAnonymous({ call }: Pick<Passage, 'call'>): boolean {
  return call.caller.kind === 'anonymous'
}

function baseContext(deps: DoorDependencies, { call, tenantIds, about }: Passage) {
  const { clock, random } = deps
  const concerns: ReadContext<unknown>['concerns'] = (merchantId, { personal } = { personal: false }) => {
    about.merchantId = merchantId
    about.personal ||= personal
  }
  const shows: ReadContext<unknown>['shows'] = (uses) => {
    about.uses = uses
  }
  return { ...call, body: call.body ?? noBody, tenantIds, clock, random, concerns, shows }
}

async function read(deps: DoorDependencies, passage: Passage): Promise<Answer> {
  const { compiled } = passage
  const output = await compiled.operation.handle({
    ...baseContext(deps, passage),
    queries: deps.queries,
  } as never)
  checkOutput(compiled, output)
  const ok = { outcome: 'ok', code: null, rows: rowsOf(output) } as const
  if (isAnonymous(passage)) return { status: statusOf(compiled), output, replayed: false }
  // Customers' personal data leaves only when the merchant will be able to see that it left.
  await Promise.all(
    recordsOf(deps, passage, ok).map((record) => {
      const durable = deps.recorder.buffer(record)
      return record.personal ? durable : undefined
    }),
  )
  return { status: statusOf(compiled), output, replayed: false }
}

/** In the write's own transaction: what is rolled back was not used, and a repeated answer is counted once. */
async function spend(deps: DoorDependencies, tx: Transaction, spending: Spending | null): Promise<void> {
  if (spending === null) return
  const exceeded = await deps.boundCounters.spend(tx, spending.owner, spending.charges)
  if (exceeded !== null) throw boundExceeded(exceeded)
}

async function write(deps: DoorDependencies, passage: Passage): Promise<Answer> {
  const { compiled, call } = passage
  const base = baseContext(deps, passage)
  const claim = claimOf(compiled.operation.id, call)
  const { prepare } = compiled.operation
  // What a preparation does outside (sending, hashing) is not done again for a request that has its answer.
  const repeated =
    prepare !== undefined && claim !== null && (await deps.idempotency.isAnswered(deps.queries, claim))
  const prepared = repeated ? null : await prepare?.({ ...base, queries: deps.queries } as never)
  return deps.runInTransaction(async (tx) => {
    const answer = await onceByKey(deps.idempotency, tx, claim, async () => {
      if (repeated) throw KernelErrors.unavailable('the answer of that key was removed just now; try again')
      const publish = (event: NewEvent) => deps.publish(tx, event)
      await spend(deps, tx, passage.spending)
      const output = await compiled.operation.handle({ ...base, tx, publish, prepared } as never)
      checkOutput(compiled, output)
      return { status: statusOf(compiled), output }
    })
    // A repeated answer shows the same data once more: that is a use like the first one.
    const ok = { outcome: 'ok', code: null, rows: rowsOf(answer.output) } as const
    if (isAnonymous(passage)) return answer
    for (const record of recordsOf(deps, passage, ok)) await deps.recorder.record(tx, record)
    return answer
  })
}

/** Makes the one function through which REST, sandbox and console calls pass. */
export function makeDoor(deps: DoorDependencies): Door {
  /** Rules and role once more, where a shop stands in for the merchant: a rule may concern the app there alone. */
  async function stepAside(compiled: CompiledOperation, acting: Caller) {
    const caller = await deps.checkRules(acting, compiled)
    return { caller, tenantIds: authorize(compiled.operation, caller) }
  }

  async function pass({ compiled, call, ...rest }: Arrived): Promise<Answer> {
    const caller = await deps.checkRules(call.caller, compiled)
    const tenantIds = authorize(compiled.operation, caller)
    const input = call.readInput === undefined ? call.input : call.readInput()
    checkInput(compiled, input)
    checkTenant(compiled, tenantIds, input)
    const bounded = applyBounds(compiled.operation, caller, input, deps.clock.nowMs())
    const { charges } = bounded
    const spending = charges.length === 0 ? null : { owner: installationOf(caller), charges }
    const acting =
      bounded.caller === caller ? { caller, tenantIds } : await stepAside(compiled, bounded.caller)
    const passage = {
      ...{ compiled, call: { ...call, caller: acting.caller, input }, tenantIds: acting.tenantIds },
      ...{ spending, ...rest },
    }
    return compiled.operation.kind === 'read' ? read(deps, passage) : write(deps, passage)
  }

  return {
    async invoke(operationId, call) {
      const compiled = deps.catalog.operations.get(operationId)
      if (compiled === undefined) throw CapabilityErrors.not_found()
      const arrived = {
        compiled,
        call,
        startedAtMs: deps.clock.nowMs(),
        about: { merchantId: null, personal: false, uses: null },
      }
      try {
        return await pass(arrived)
      } catch (error) {
        if (!isAnonymous({ call })) void deps.recorder.buffer(recordOf(deps, arrived, refusalOf(error)))
        throw error
      }
    },
  }
}
