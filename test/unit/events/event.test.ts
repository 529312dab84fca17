import { expect, test } from 'vitest'
import {
  hostSource,
  isWhole,
  type StoredEvent,
  toBodyText,
  toThinBodyText,
} from '../../../src/events/event.ts'

const event: StoredEvent = {
  id: 'evt_01JD0000000000000000000001',
  source: hostSource,
  type: 'order.paid',
  version: 1,
  merchantId: 'mer_01JD0000000000000000000001',
  subject: 'ord_1',
  data: '{"z":1,"a":"\\u0000 ☃"}',
  occurredAtMs: Date.UTC(2026, 10, 22, 3, 0, 0, 7),
  createdAtMs: 0,
}

test('the body is CloudEvents JSON in a fixed order of members, and its data is the text that was published', () => {
  expect(toBodyText(event, event.data, 'https://open.example')).toBe(
    '{"specversion":"1.0","id":"evt_01JD0000000000000000000001","source":"https://open.example/host","type":"order.paid",' +
      '"subject":"ord_1","time":"2026-11-22T03:00:00.007Z","datacontenttype":"application/json",' +
      '"dataschema":"https://open.example/schemas/events/order.paid/1","merchantid":"mer_01JD0000000000000000000001",' +
      '"data":{"z":1,"a":"\\u0000 ☃"}}',
  )
})

test('an absolute source stays as it is', () => {
  const text = toBodyText({ ...event, source: 'urn:shop:7' }, '{}', 'https://open.example')
  expect(JSON.parse(text)).toMatchObject({ source: 'urn:shop:7' })
})

test('without its data an event says the same of itself, and where its subject can be read now', () => {
  const gone = { ...event, data: null, subject: 'A/1 ?茶' }
  expect(isWhole(gone)).toBe(false)
  const { data: _data, ...attributes } = JSON.parse(
    toBodyText(gone, '{}', 'https://open.example'),
  ) as Readonly<Record<string, unknown>>
  expect(JSON.parse(toThinBodyText(gone, '/v1/orders/{subject}', 'https://open.example'))).toEqual({
    ...attributes,
    dataref: 'https://open.example/v1/orders/A%2F1%20%3F%E8%8C%B6',
  })
  expect(JSON.parse(toThinBodyText(gone, null, 'https://open.example'))).toEqual(attributes)
})
