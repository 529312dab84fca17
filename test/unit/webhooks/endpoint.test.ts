import { describe, expect, test } from 'vitest'
import { type EndpointState, endpointStates, endpointSteps, next } from '../../../src/webhooks/endpoint.ts'

const at = (state: EndpointState) =>
  Object.fromEntries(endpointSteps.map((step) => [step, next(state, step)]))

describe('an endpoint', () => {
  test('that is unverified is proven or moved; it can neither be paused nor resumed nor stopped', () => {
    expect(at('unverified')).toEqual({
      verify: 'active',
      pause: null,
      resume: null,
      stop: null,
      move: 'unverified',
      move_here: 'active',
    })
  })

  test('that is active is paused, stopped or moved', () => {
    expect(at('active')).toEqual({
      verify: 'active',
      pause: 'paused',
      resume: 'active',
      stop: 'stopped',
      move: 'unverified',
      move_here: 'active',
    })
  })

  test('that is paused stays so until it is resumed, stopped or moved', () => {
    expect(at('paused')).toEqual({
      verify: 'paused',
      pause: 'paused',
      resume: 'active',
      stop: 'stopped',
      move: 'unverified',
      move_here: 'active',
    })
  })

  test('that has stopped takes no step any more', () => {
    expect(Object.values(at('stopped'))).toEqual(endpointSteps.map(() => null))
  })

  test('becomes active only by a proof, a resumption or on this machine', () => {
    for (const state of endpointStates.filter((name) => name !== 'active')) {
      const ways = endpointSteps.filter((step) => next(state, step) === 'active')
      expect(['verify', 'resume', 'move_here']).toEqual(expect.arrayContaining(ways))
    }
  })
})
