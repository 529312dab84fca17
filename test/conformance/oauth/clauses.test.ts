import { expect, test } from 'vitest'
import { apiCases } from './cases/api.ts'
import { authorizationCases } from './cases/authorization.ts'
import { authorizationDetailsCases } from './cases/authorization-details.ts'
import { browserCases } from './cases/browser.ts'
import { deviceCases } from './cases/device.ts'
import { dpopCases } from './cases/dpop.ts'
import { dpopApiCases } from './cases/dpop-api.ts'
import { exchangeCases } from './cases/exchange.ts'
import { metadataCases } from './cases/metadata.ts'
import { pushedRequestCases } from './cases/pushed-requests.ts'
import { securityCases } from './cases/security.ts'
import { tokenEndpointCases } from './cases/token-endpoint.ts'
import { tokenCases } from './cases/tokens.ts'
import { clauses } from './clauses.ts'
import { pending } from './pending.ts'

const tested = [
  ...Object.keys(apiCases),
  ...Object.keys(authorizationCases),
  ...Object.keys(authorizationDetailsCases),
  ...Object.keys(browserCases),
  ...Object.keys(deviceCases),
  ...Object.keys(dpopCases),
  ...Object.keys(dpopApiCases),
  ...Object.keys(exchangeCases),
  ...Object.keys(metadataCases),
  ...Object.keys(pushedRequestCases),
  ...Object.keys(securityCases),
  ...Object.keys(tokenCases),
  ...Object.keys(tokenEndpointCases),
]

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

// A clause that waits is neither passed nor failed: the run counts it and says for what it waits.
for (const [id, reason] of pending) test.todo(`${id}: ${reason}`)
