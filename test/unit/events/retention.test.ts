import { describe, expect, test } from 'vitest'
import {
  defineCapability,
  defineEventType,
  makeCatalog,
  type Scope,
  schema,
} from '../../../src/capability/index.ts'
import { firstBatchRows, nextBatchRows } from '../../../src/events/retention/batch-size.ts'
import { typesWithoutPersonalData } from '../../../src/events/retention/personal-types.ts'
import { limits } from '../../../src/kernel/index.ts'

describe('the size of a transaction', () => {
  test('doubles while it is short, up to its bound', () => {
    let rows = firstBatchRows
    for (let i = 0; i < 10; i += 1) rows = nextBatchRows(rows, 20)
    expect(rows).toBe(limits.retentionBatchMax)
  })

  test('shrinks when it took long, and never to nothing', () => {
    expect(nextBatchRows(1_000, 1_500)).toBe(250)
    expect(nextBatchRows(3, 60_000)).toBe(1)
    expect(nextBatchRows(1, 60_000)).toBe(1)
  })

  test('stays between', () => {
    expect(nextBatchRows(400, 500)).toBe(400)
  })
})

function scope(name: string, sensitivity: Scope['sensitivity']): Scope {
  const text = { en: name, 'zh-CN': name }
  return { name, title: text, consent: text, dataCategory: 'orders', sensitivity }
}

function eventType(type: string, needs: string | null, fields: object = {}) {
  return defineEventType({
    ...{ type, version: 1, summary: { en: type, 'zh-CN': type }, scope: needs, subject: 'it' },
    data: schema.object({ a: schema.string({ maxLength: 1 }), b: schema.string({ maxLength: 1 }) }),
    fieldScopes: fields,
    example: { a: 'a', b: 'b' },
  })
}

test('data is personal by the scope of the type or of one of its fields', () => {
  const catalog = makeCatalog([
    defineCapability({
      ...{ id: 'thing', summary: 'Things', operations: [] },
      scopes: [scope('thing:read', 'protected'), scope('person:read', 'private')],
      eventTypes: [
        eventType('thing.made', 'thing:read'),
        eventType('thing.sold', 'thing:read', { b: 'person:read' }),
        eventType('person.born', 'person:read'),
        eventType('thing.gone', null),
      ],
    }),
  ])
  expect(typesWithoutPersonalData(catalog)).toEqual(['thing.made', 'thing.gone'])
})
