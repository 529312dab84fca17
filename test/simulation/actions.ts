import type { AttemptDependencies } from '../../src/events/drain/attempt-delivery.ts'
import { tryDelivery } from '../../src/events/drain/attempt-delivery.ts'
import { makeMeters } from '../../src/events/meters.ts'
import { newId } from '../../src/kernel/index.ts'
import { quietLog } from '../support/database.ts'
import { type Gate, gated, inTurn, isFree } from './gate.ts'
import { type Invariants, permissionGraceMs, ruleGraceMs, showsCustomer } from './invariants.ts'
import type { Process } from './process.ts'
import type { Sent } from './receiver.ts'
import { isOpen, type Row, type Rows } from './rows.ts'
import { catalog, customer, everyScope, merchantIds, publicUrl, subjects } from './scene.ts'
import { clockOf, type Sim } from './sim.ts'
import type { World } from './world.ts'

export interface Stage {
  readonly sim: Sim
  readonly world: World
  readonly gate: Gate
  readonly invariants: Invariants
  /** Live ones. */
  readonly processes: Process[]
  /** Numbers of the outbox are taken when a transaction begins, whenever it commits. */
  lastSeq: number
  /** End of a pause or a rule: by endpoint or rule. */
  readonly lift: Map<string, () => void>
}

type Action = (stage: Stage, rows: Rows) => Promise<void> | void

function pickRow<T>(stage: Stage, list: Iterable<T>, isMeant: (row: T) => boolean): T | null {
  const meant = [...list].filter(isMeant)
  return meant.length === 0 ? null : stage.sim.chance.pick(meant)
}

function publish(stage: Stage): void {
  const { sim, world, gate, invariants } = stage
  const { chance } = sim
  const id = newId('event', { clock: sim.clock, random: chance })
  stage.lastSeq += 1
  const time = { occurred_at: sim.nowMs, created_at: sim.nowMs, relayed_at: null }
  const data = JSON.stringify({ note: id, customer })
  const event: Row<'event'> = {
    ...{
      id,
      seq: stage.lastSeq,
      source: '/host',
      external_id: null,
      type: 'order.paid',
      version: 1,
      data,
      ...time,
    },
    ...{ merchant_id: chance.pick(merchantIds), subject: chance.pick(subjects) },
  }
  const commits = !chance.is(0.15)
  invariants.deeds[commits ? 'committed' : 'rolledBack'].add(id)
  async function run(): Promise<void> {
    await world.people.publish(event, commits)
    if (commits && stage.processes.length > 0 && !chance.is(0.2))
      chance.pick(stage.processes).path.wakeRelay()
  }
  const label = `${commits ? 'commit' : 'roll back'} ${event.seq} ${event.merchant_id} ${event.subject}`
  // It may become visible after events that were published later.
  sim.steps.push({ label, owner: null, mayRun: () => isFree(gate, true), run })
}

async function pause(stage: Stage, rows: Rows): Promise<void> {
  const endpoint = pickRow(stage, rows.endpoint.values(), ({ state }) => state === 'active')
  if (endpoint === null) return
  const { url, id } = endpoint
  await stage.world.people.pause(endpoint, stage.sim.nowMs)
  // A person may resend to a paused endpoint.
  const concerns = (sent: Sent) => sent.url === url && !sent.replayed
  const ban = { invariant: 'nothing-after-pause', graceMs: permissionGraceMs, concerns }
  stage.lift.set(id, stage.invariants.ban(ban))
}

async function resume(stage: Stage, rows: Rows): Promise<void> {
  const endpoint = pickRow(stage, rows.endpoint.values(), ({ state }) => state === 'paused')
  if (endpoint === null) return
  stage.lift.get(endpoint.id)?.()
  await stage.world.people.resume(endpoint, stage.sim.nowMs)
}

async function uninstall(stage: Stage, rows: Rows): Promise<void> {
  const installation = pickRow(stage, rows.installation.values(), ({ state }) => state === 'active')
  if (installation === null) return
  await stage.world.people.uninstall(installation, stage.sim.nowMs)
  stage.invariants.ban({
    invariant: 'nothing-after-revoke',
    graceMs: permissionGraceMs,
    concerns: (sent, now) => installationOf(now, sent) === installation.id,
  })
}

function installationOf(rows: Rows, { url, sequence }: Sent): string | undefined {
  const isMeant = (d: Row<'delivery'>) => url.endsWith(d.stream_id) && d.sequence === sequence
  return [...rows.delivery.values()].find(isMeant)?.installation_id
}

async function narrow(stage: Stage, rows: Rows): Promise<void> {
  const isWhole = ({ id }: Row<'installation'>) => !stage.invariants.deeds.narrowed.has(id)
  const installation = pickRow(stage, rows.installation.values(), isWhole)
  if (installation === null) return
  const granted = stage.sim.chance.pick([
    ['order:read'],
    everyScope.filter((scope) => scope !== 'order:read'),
  ])
  stage.invariants.deeds.narrowed.add(installation.id)
  await stage.world.people.narrow(installation, granted)
  const isAll = !granted.includes('order:read')
  stage.invariants.ban({
    invariant: 'nothing-beyond-the-grant',
    graceMs: permissionGraceMs,
    concerns: (sent, now) => installationOf(now, sent) === installation.id && (isAll || showsCustomer(sent)),
  })
}

async function addRule(stage: Stage): Promise<void> {
  const { sim, invariants } = stage
  const id = newId('rule', { clock: sim.clock, random: sim.chance })
  const appId = sim.chance.pick(['app_1', 'app_2'])
  const merchantId = sim.chance.pick([null, ...merchantIds])
  const effect = sim.chance.pick(['stop', 'pause_events', 'revoke_tokens'])
  const selector = { app_id: appId, merchant_id: merchantId, publisher_id: null, scope: null }
  const rest = { version_id: null, host: null, expires_at: null, lifted_at: null }
  invariants.deeds.stoppedApps.add(appId)
  await stage.world.people.addRule({ id, effect, ...selector, ...rest })
  const concerns = (sent: Sent, rows: Rows) => {
    const installation = rows.installation.get(installationOf(rows, sent) ?? '')
    // What a rule says of resends is asked by the operation, which is not played.
    if (installation?.app_id !== appId || sent.replayed) return false
    return merchantId === null || installation.merchant_id === merchantId
  }
  stage.lift.set(id, invariants.ban({ invariant: 'nothing-while-held', graceMs: ruleGraceMs, concerns }))
}

async function liftRules(stage: Stage, rows: Rows): Promise<void> {
  for (const id of rows.rule.keys()) stage.lift.get(id)?.()
  await stage.world.people.liftRules(stage.sim.nowMs)
}

async function skip(stage: Stage, rows: Rows): Promise<void> {
  const delivery = pickRow(stage, rows.delivery.values(), isOpen)
  if (delivery === null) return
  const parked = { deliveryId: delivery.id, nowMs: stage.sim.nowMs }
  if (await stage.world.people.skip(delivery.stream_id, parked))
    stage.invariants.deeds.skipped.add(delivery.id)
}

/** A person's process reads the delivery, sends it and records that, beside whatever drains do. */
async function resend(stage: Stage, rows: Rows): Promise<void> {
  const { sim, gate, world, invariants } = stage
  const isMeant = ({ state }: Row<'delivery'>) => state !== 'pending' && state !== 'delivered'
  const meant = pickRow(stage, rows.delivery.values(), isMeant)
  if (meant === null || stage.processes.length === 0 || rows.rule.size > 0) return
  const { owner, sink } = sim.chance.pick(stage.processes)
  invariants.deeds.resent.add(meant.id)
  const clock = clockOf(sim, owner)
  const store = gated(gate, owner, world.events)
  const random = sim.chance
  const deps: AttemptDependencies = {
    ...{ store, catalog, publicUrl, clock, random, log: quietLog, meters: makeMeters() },
  }
  const { id, stream_id: streamId, app_id: appId } = meant
  async function send(): Promise<void> {
    const receiver = await sink.open({ streamId, appId })
    const turn = { label: 'find resend', mayRun: () => isFree(gate, false) }
    const due = await inTurn(sim, owner, turn, () => world.people.findAgain(streamId, id))
    if (receiver === null || receiver.probing || due === null) return
    const replayId = newId('replay', { clock, random })
    const { ending, attempt } = await tryDelivery(deps, receiver, due, replayId)
    if (attempt === null || ending.kind === 'cancelled') return
    const sent = { delivery: due, delivered: ending.kind === 'delivered', attempt, replayId }
    const run = () => world.people.recordAgain(sent, sim.nowMs)
    sim.steps.push({ label: 'record resend', owner, mayRun: () => isFree(gate, true), run })
  }
  send().catch(() => undefined)
}

const actions = { publish, pause, resume, uninstall, narrow, addRule, liftRules, skip, resend }
const weights: Readonly<Record<keyof typeof actions, number>> = {
  ...{ publish: 60, pause: 4, resume: 6, uninstall: 3, narrow: 4 },
  ...{ addRule: 4, liftRules: 4, skip: 6, resend: 6 },
}

/** One thing that people do, of those that the seed may choose from. */
export async function act(stage: Stage): Promise<void> {
  const name = stage.sim.chance.weighted(weights)
  stage.sim.note(`people ${name}`)
  const action: Action = actions[name]
  await action(stage, await stage.world.rows())
}

/** Nothing of what people did keeps anything waiting any more. */
export async function letGo(stage: Stage): Promise<void> {
  const rows = await stage.world.rows()
  await liftRules(stage, rows)
  for (const endpoint of rows.endpoint.values()) {
    if (endpoint.state !== 'paused' || endpoint.probe_at !== null) continue
    stage.lift.get(endpoint.id)?.()
    await stage.world.people.resume(endpoint, stage.sim.nowMs)
  }
}
