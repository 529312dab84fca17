import { describe, expect, test } from 'vitest'
import { type DeliveryProgress, deliveryStates, isFinal, next } from '../../../src/events/delivery.ts'

const pending: DeliveryProgress = { state: 'pending', attempts: 0, createdAtMs: 0 }
const at = { nowMs: 1_000, fraction: 0.5 }
const tried = { status: null, error: null, response: null, log: null }

test('a success ends it', () => {
  expect(next(pending, { kind: 'delivered', ...tried }, at)).toEqual({
    state: 'delivered',
    attempts: 1,
    dueAtMs: 1_000,
    finishedAtMs: 1_000,
    lastOutcome: 'delivered',
  })
})

test('a failure waits for the next attempt', () => {
  expect(next(pending, { kind: 'failed', overloaded: false, retryAfterMs: null, ...tried }, at)).toEqual({
    state: 'waiting',
    attempts: 1,
    dueAtMs: 6_000,
    finishedAtMs: null,
    lastOutcome: 'failed',
  })
})

test('the tenth failure exhausts it', () => {
  const last = { state: 'waiting', attempts: 9, createdAtMs: 0 } as const
  const settled = next(last, { kind: 'failed', overloaded: false, retryAfterMs: 5_000, ...tried }, at)
  expect(settled).toMatchObject({ state: 'exhausted', attempts: 10, finishedAtMs: 1_000 })
})

test.each(['gone', 'refused'] as const)('what is %s is not tried again', (kind) => {
  expect(next(pending, { kind, ...tried }, at)).toMatchObject({ state: 'exhausted', lastOutcome: kind })
})

test('a withdrawn permission cancels it without an attempt', () => {
  expect(next(pending, { kind: 'cancelled' }, at)).toMatchObject({ state: 'cancelled', attempts: 0 })
})

test('what was put off keeps its state and costs no attempt', () => {
  const waiting = { state: 'waiting', attempts: 4, createdAtMs: 0 } as const
  const settled = next(waiting, { kind: 'deferred', delayMs: 500, reason: 'sandbox.pool_full' }, at)
  expect(settled).toMatchObject({ state: 'waiting', attempts: 4, dueAtMs: 1_500, finishedAtMs: null })
})

describe.each(deliveryStates.filter(isFinal))('%s', (state) => {
  test('is an end', () => {
    expect(() => next({ ...pending, state }, { kind: 'delivered', ...tried }, at)).toThrow(/not attempted/)
  })
})
