import { expect, test } from 'vitest'
import { parseDeliveryControl } from '../../../src/webhooks/delivery-control.ts'

test.each([
  ['disable', 'disable'],
  [' Disable ', 'disable'],
  ['abort-message', 'abort-message'],
  ['abort-message, disable', 'disable'],
])('%s is obeyed', (value, word) => expect(parseDeliveryControl(value)).toBe(word))

test.each([undefined, '', 'disabled', 'abort', 'disable now'])('%s says nothing', (value) =>
  expect(parseDeliveryControl(value)).toBeNull(),
)
