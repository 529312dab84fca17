import { describe, expect, test } from 'vitest'
import { apiCases } from './cases/api.ts'
import { authorizationCases } from './cases/authorization.ts'
import { browserCases } from './cases/browser.ts'
import { metadataCases } from './cases/metadata.ts'
import { securityCases } from './cases/security.ts'
import { tokenEndpointCases } from './cases/token-endpoint.ts'
import { tokenCases } from './cases/tokens.ts'
import { clauses } from './clauses.ts'
import { pending } from './pending.ts'

const tested = [
  ...[
    apiCases,
    authorizationCases,
    browserCases,
    metadataCases,
    securityCases,
    tokenCases,
    tokenEndpointCases,
  ],
].flatMap((cases) => Object.keys(cases))

test('every clause quotes its standard and says what Stoa does, in a sentence of its own', () => {
  for (const { id, quotation, stoa } of clauses) {
    expect(quotation.length, id).toBeGreaterThan(10)
    expect(stoa, id).toMatch(/^[A-Z/].*[.]$/)
  }
  const sentences = clauses.map(({ stoa }) => stoa)
  expect(sentences.filter((stoa, index) => sentences.indexOf(stoa) !== index)).toEqual([])
})

test('every clause has exactly one test or a reason why it has none, and every test a clause', () => {
  expect([...tested, ...pending.keys()].sort()).toEqual(clauses.map(({ id }) => id).sort())
})

describe('clauses that wait for their feature', () => {
  for (const [id, reason] of pending) test.todo(`${id}: ${reason}`)
})
