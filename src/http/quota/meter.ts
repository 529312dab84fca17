import type { ServerResponse } from 'node:http'
import type { Caller } from '../../capability/index.ts'
import { networkOf } from '../../identity/index.ts'
import { type Clock, type Log, present, StoaError } from '../../kernel/index.ts'
import { HttpErrors } from '../errors.ts'
import { quotaFields, refusalFields } from './header-fields.ts'
import { makeQuotas, type QuotaName, type Standing, type Subject, subjectOf } from './quota.ts'
import { type Limiter, makeBlind, makeLimiter } from './spend-quota.ts'
import type { OpenQuotaStore } from './store.ts'

export interface MeterDependencies {
  readonly openStore: OpenQuotaStore
  /** What every quota is multiplied by. */
  readonly factor: number
  readonly clock: Clock
  readonly log: Log
}

const probes = new Set(['/healthz', '/readyz'])

/** Everything but probes: whoever watches a process asks often, and from one address. */
export function isMetered({ path }: { readonly path: string }): boolean {
  return !probes.has(path)
}

/** Where the fields of an answer are set; null: it has none yet. */
type Answering = ServerResponse | null

/** A request as far as quotas are concerned. */
export interface Metered {
  /** Network address of whoever sent it, as far as the proxies in front are trusted. */
  readonly address: string
  /** Whether it brings a credential at all. */
  readonly presents: boolean
  readonly response: Answering
}

/** Counts the requests of everybody and refuses what is too much. */
export interface Meter {
  /**
   * Finds out who calls and counts the request against them: against nobody but who has proven to be it, and against
   * the network when nobody has. @throws http.quota_exceeded, and what `identify` throws
   */
  admit(request: Metered, identify: () => Promise<Caller>): Promise<Caller>
  /** Counts a request that needs no credential. @throws http.quota_exceeded */
  admitNetwork(request: Pick<Metered, 'address' | 'response'>): Promise<void>
  /** Counts a request of an app that has proven its secret or key. @throws http.quota_exceeded */
  admitClient(response: ServerResponse, appId: string): Promise<void>
  /** Refuses a network that has sent too many wrong credentials. @throws http.quota_exceeded */
  checkNetwork(address: string): void
  /** A credential was wrong, or was none where one is needed. */
  noteRefused(address: string): Promise<void>
  /** Whether this answer's request was counted. */
  isCounted(response: ServerResponse): boolean
  counts(): MeterCounts
}

/** Of this process, since it started. */
export interface MeterCounts {
  readonly refused: Readonly<Partial<Record<QuotaName, number>>>
  readonly uncounted: number
}

function exceeded(standing: Standing): StoaError {
  const { name, max, windowMs } = standing.quota
  return HttpErrors.quota_exceeded(`${max} requests fit in ${windowMs / 1000} s (${name})`, {
    headers: refusalFields(standing),
    // The member that the draft of the RateLimit fields gives to its problem type quota-exceeded.
    members: { 'violated-policies': [name] },
  })
}

function setFields(response: Answering, standing: Standing): void {
  if (response === null || response.headersSent) return
  for (const [name, value] of Object.entries(quotaFields(standing))) response.setHeader(name, value)
}

function makeLimiters({ openStore, factor, clock, log }: MeterDependencies) {
  const blind = makeBlind({ clock, log })
  const limiters = new Map<QuotaName, Limiter>()
  // One map of keys each: no flood of addresses pushes out what an app has taken.
  for (const quota of makeQuotas(factor))
    limiters.set(quota.name, makeLimiter({ quota, store: openStore(quota), clock, blind }))
  return { blind, limiterOf: (name: QuotaName) => present(limiters.get(name), name) }
}

/** Makes the meter of one process; with others on the same store it counts together. */
export function makeMeter(deps: MeterDependencies): Meter {
  const { blind, limiterOf } = makeLimiters(deps)
  const counted = new WeakSet<ServerResponse>()
  const refused: Partial<Record<QuotaName, number>> = {}

  function refuse({ quota, key }: Subject): StoaError {
    refused[quota] = (refused[quota] ?? 0) + 1
    return exceeded(limiterOf(quota).standing(key))
  }

  async function spend(subject: Subject, response: Answering): Promise<void> {
    if (response !== null) counted.add(response)
    const standing = await limiterOf(subject.quota).spend(subject.key)
    if (standing === null) throw refuse(subject)
    setFields(response, standing)
  }

  function checkNetwork(address: string): void {
    const subject = { quota: 'refused', key: networkOf(address) } as const
    if (limiterOf(subject.quota).isUsedUp(subject.key)) throw refuse(subject)
  }

  async function noteRefused(address: string): Promise<void> {
    await limiterOf('refused').spend(networkOf(address))
  }

  async function identified({ address, presents }: Metered, identify: () => Promise<Caller>) {
    if (presents) checkNetwork(address)
    try {
      const caller = await identify()
      if (presents && caller.kind === 'anonymous') await noteRefused(address)
      return caller
    } catch (error) {
      // 403: a form or page without the token that goes with its cookie.
      if (error instanceof StoaError && (error.status === 401 || error.status === 403))
        await noteRefused(address)
      throw error
    }
  }

  return {
    async admit(request, identify) {
      const caller = await identified(request, identify)
      await spend(subjectOf(caller, networkOf(request.address)), request.response)
      return caller
    },
    admitNetwork: ({ address, response }) => spend({ quota: 'address', key: networkOf(address) }, response),
    admitClient: (response, appId) => spend({ quota: 'client', key: appId }, response),
    checkNetwork,
    noteRefused,
    isCounted: (response) => counted.has(response),
    counts: () => ({ refused, uncounted: blind.count() }),
  }
}
