import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAcknowledgement } from '../../../src/http/socket-connection.ts'

test('an acknowledgement says a sequence', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (sequence) => {
      expect(parseAcknowledgement(JSON.stringify({ type: 'ack', sequence }))).toBe(sequence)
    }),
  )
})

test('whatever else comes is none, and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(parseAcknowledgement(text)).toBeNull()
    }),
  )
})
