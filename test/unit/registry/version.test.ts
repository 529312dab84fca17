import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { next, type VersionState, versionActions, versionStates } from '../../../src/registry/version.ts'

/** The diagram once more, as the sentences it stands for. */
const allowed: Readonly<Record<string, VersionState>> = {
  'draft submit': 'submitted',
  'draft withdraw': 'withdrawn',
  'submitted approve': 'approved',
  'submitted reject': 'rejected',
  'submitted withdraw': 'withdrawn',
  'approved release': 'released',
  'approved withdraw': 'withdrawn',
}

describe.each(versionStates)('a version that is %s', (state) => {
  test.each(versionActions)('goes where the diagram says at %s, or is refused', (action) => {
    const after = allowed[`${state} ${action}`]
    if (after !== undefined) expect(next(state, action)).toBe(after)
    else {
      const code = action === 'release' ? 'registry.version_not_approved' : 'registry.version_state'
      expect(() => next(state, action)).toThrow(expect.objectContaining({ code, status: 409 }))
    }
  })
})

test('whatever is tried, nothing is released that was not approved, and a decision is never undone', () => {
  const walk = property(array(constantFrom(...versionActions), { maxLength: 30 }), (actions) => {
    const visited: VersionState[] = ['draft']
    for (const action of actions) {
      try {
        visited.push(next(visited.at(-1) ?? 'draft', action))
      } catch {
        // Refused: the version stays as it is.
      }
    }
    if (visited.includes('released')) expect(visited.slice(-2)).toEqual(['approved', 'released'])
    if (visited.includes('rejected')) expect(visited.at(-1)).toBe('rejected')
    expect(new Set(visited).size).toBe(visited.length)
  })
  assert(walk)
})
