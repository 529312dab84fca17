import { describe, expect, test } from 'vitest'
import { defineCapability, defineEventType, makeCatalog, schema } from '../../../src/capability/index.ts'
import { checkEvents } from '../../../src/events/check-events.ts'
import { limits, StoaError } from '../../../src/kernel/index.ts'

const catalog = makeCatalog([
  defineCapability({
    id: 'note',
    summary: 'Notes',
    operations: [],
    eventTypes: [
      defineEventType({
        type: 'note.written',
        version: 3,
        summary: { en: 'A note was written', 'zh-CN': '已写下便签' },
        scope: null,
        subject: 'The note',
        data: schema.object({
          text: schema.string({ maxLength: limits.eventDataBytesMax * 2 }),
          copies: schema.optional(schema.integer({ minimum: 1, maximum: 9, default: 1 })),
        }),
        example: { text: 'Buy tea' },
      }),
    ],
  }),
])

const note = (text: unknown, change: object = {}) => ({
  ...{ type: 'note.written', merchantId: 'mer_1', subject: 'note_1', data: { text } },
  ...change,
})

function refusal(events: readonly ReturnType<typeof note>[]): StoaError {
  try {
    checkEvents(
      events.map((event, index) => ({ pointer: `/events/${index}`, event })),
      catalog,
    )
  } catch (error) {
    if (error instanceof StoaError) return error
    throw error
  }
  throw new Error('was not refused')
}

const large = 'x'.repeat(limits.eventDataBytesMax)

describe('data beyond the bound', () => {
  test('is refused as too large, each at its place', () => {
    const error = refusal([note(large), note('short'), note(large)])
    expect([error.code, error.status]).toEqual(['events.data_too_large', 413])
    expect(error.options.errors?.map(({ pointer }) => pointer)).toEqual(['/events/0/data', '/events/2/data'])
  })

  test('beside another mistake is one problem among others', () => {
    const error = refusal([note(large), note(7)])
    expect([error.code, error.status]).toEqual(['events.invalid_event', 422])
    expect(error.options.errors?.map(({ code }) => code)).toEqual(['too_large', 'type'])
  })

  test('counts in bytes: exactly the bound is allowed, in any script', () => {
    const room = limits.eventDataBytesMax - Buffer.byteLength(JSON.stringify({ text: '', copies: 1 }))
    const tea = '茶'.repeat(Math.floor(room / 3))
    expect(() => checkEvents([{ pointer: '', event: note(tea) }], catalog)).not.toThrow()
    expect(refusal([note(`${tea}xxx`)]).code).toBe('events.data_too_large')
  })
})

test('what passes has its type’s version, its source and its data as text, defaults filled in', () => {
  expect(checkEvents([{ pointer: '', event: note('Buy tea') }], catalog)).toEqual([
    expect.objectContaining({ version: 3, source: '/host', data: '{"text":"Buy tea","copies":1}' }),
  ])
})

test('no more events are looked at once the bound of problems is reached', () => {
  const wrong = Array.from({ length: limits.inputProblemsMax + 50 }, () => note(7))
  const { errors = [] } = refusal(wrong).options
  expect(errors).toHaveLength(limits.inputProblemsMax)
  expect(errors.at(-1)?.pointer).toBe(`/events/${limits.inputProblemsMax - 1}/data/text`)
})
