import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allows,
  type CaseState,
  caseActions,
  caseStates,
  next,
  openStates,
} from '../../../src/review/review-case.ts'

/** The diagram once more, as the sentences it stands for. */
const allowed: Readonly<Record<string, CaseState>> = {
  'submitted check': 'checking',
  'submitted withdraw': 'withdrawn',
  'checking check': 'checking',
  'checking finish': 'in_review',
  'checking withdraw': 'withdrawn',
  'in_review approve': 'approved',
  'in_review reject': 'rejected',
  'in_review withdraw': 'withdrawn',
}

describe.each(caseStates)('a case that is %s', (state) => {
  test.each(caseActions)('goes where the diagram says at %s, or is refused', (action) => {
    const after = allowed[`${state} ${action}`]
    expect(allows(state, action)).toBe(after !== undefined)
    if (after !== undefined) expect(next(state, action)).toBe(after)
    else expect(() => next(state, action)).toThrow(expect.objectContaining({ code: 'review.case_state' }))
  })
})

test('a case is open until somebody decides or takes it back', () => {
  expect(openStates).toEqual(['submitted', 'checking', 'in_review'])
})

test('whatever is tried, nothing is decided that was not checked, and nothing is decided twice', () => {
  const walk = property(array(constantFrom(...caseActions), { maxLength: 30 }), (actions) => {
    const visited: CaseState[] = ['submitted']
    for (const action of actions) {
      const state = visited.at(-1) ?? 'submitted'
      if (allows(state, action)) visited.push(next(state, action))
    }
    const end = visited.findIndex((state) => !openStates.includes(state))
    if (end >= 0) expect(end).toBe(visited.length - 1)
    const decided = visited.find((state) => state === 'approved' || state === 'rejected')
    if (decided !== undefined) expect(visited.slice(-3, -1)).toEqual(['checking', 'in_review'])
  })
  assert(walk)
})
