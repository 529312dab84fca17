import { toDue } from './row-due.ts'
import { atWork } from './row-endpoints.ts'
import { toAttempt } from './row-events.ts'
import { change, grantOf, isOpen, type Row, type Rows } from './rows.ts'
import type { People } from './world.ts'

function uninstall(rows: Rows, installation: Row<'installation'>, nowMs: number): void {
  const { id } = installation
  change(rows, 'installation', id, { state: 'uninstalled' })
  const grant = grantOf(rows, id)
  if (grant !== undefined) change(rows, 'grant', grant.id, { revoked_at: nowMs })
  for (const s of [...rows.subscription.values()])
    if (s.installation_id === id && s.ended_at === null)
      change(rows, 'subscription', s.id, { ended_at: nowMs })
  const cancelled = { state: 'cancelled', finished_at: nowMs, last_outcome: 'cancelled' } as const
  for (const d of [...rows.delivery.values()])
    if (d.installation_id === id && isOpen(d)) change(rows, 'delivery', d.id, cancelled)
}

const comesBack = ['waiting', 'exhausted', 'parked', 'cancelled']

/** What people do, done to rows. */
export function peopleOfRows({ read, write }: { read(): Rows; write(): Rows }): People {
  const now = async <T>(work: (rows: Rows) => T): Promise<T> => work(write())
  return {
    publish: (event, commits) =>
      now((rows) => {
        if (commits) rows.event.set(event.id, event)
      }),
    pause: (endpoint, nowMs) =>
      now((rows) => {
        const at = endpoint.paused_at ?? nowMs
        const pause = { state: 'paused', state_reason: 'requested', paused_at: at, probe_at: null } as const
        change(rows, 'endpoint', endpoint.id, pause)
      }),
    resume: (endpoint) => now((rows) => change(rows, 'endpoint', endpoint.id, atWork)),
    uninstall: (installation, nowMs) => now((rows) => uninstall(rows, installation, nowMs)),
    narrow: (installation, granted) =>
      now((rows) => {
        const grant = grantOf(rows, installation.id)
        if (grant !== undefined) change(rows, 'grant', grant.id, { granted, epoch: grant.epoch + 1 })
      }),
    addRule: (rule) => now((rows) => void rows.rule.set(rule.id, rule)),
    liftRules: (nowMs) =>
      now((rows) => {
        for (const { id } of [...rows.rule.values()]) change(rows, 'rule', id, { lifted_at: nowMs })
      }),
    skip: (streamId, { deliveryId, nowMs }) =>
      now((rows) => {
        const delivery = rows.delivery.get(deliveryId)
        if (delivery?.stream_id !== streamId || !isOpen(delivery)) return false
        change(rows, 'delivery', deliveryId, { state: 'parked', finished_at: nowMs })
        return true
      }),
    async findAgain(streamId, deliveryId) {
      const delivery = read().delivery.get(deliveryId)
      return delivery?.stream_id === streamId ? toDue(read(), delivery) : null
    },
    recordAgain: ({ delivery, delivered, attempt, replayId }, nowMs) =>
      now((rows) => {
        const { id: deliveryId, merchantId, streamId, appId } = delivery
        const row = rows.delivery.get(deliveryId)
        if (delivered && row !== undefined && comesBack.includes(row.state)) {
          const time = { due_at: nowMs, finished_at: nowMs }
          change(rows, 'delivery', deliveryId, { state: 'delivered', ...time, last_outcome: 'delivered' })
        }
        const attempted = toAttempt({ merchantId, deliveryId, streamId, appId }, attempt, replayId)
        rows.attempt.set(attempted.id, attempted)
      }),
  }
}
