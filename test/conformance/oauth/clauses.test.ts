import { expect, test } from 'vitest'
import { clauses } from './clauses.ts'

test('every clause quotes its standard and says what Stoa does, in a sentence of its own', () => {
  for (const { id, quotation, stoa } of clauses) {
    expect(quotation.length, id).toBeGreaterThan(10)
    expect(stoa, id).toMatch(/^[A-Z/].*[.]$/)
  }
  const sentences = clauses.map(({ stoa }) => stoa)
  expect(sentences.filter((stoa, index) => sentences.indexOf(stoa) !== index)).toEqual([])
})
