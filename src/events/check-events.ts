import type { Catalog, EventType, NewEvent } from '../capability/index.ts'
import { type InputProblem, limits } from '../kernel/index.ts'
import { EventsErrors } from './errors.ts'
import { hostSource } from './event.ts'

/** An event to publish, and where it stands in what was sent: `/events/3`, or nothing for the only one. */
export interface PlacedEvent {
  readonly pointer: string
  readonly event: NewEvent
}

/** What a publisher must keep to besides the event type's own shape. Pointers are relative to the event. */
export type PublisherRule = (event: NewEvent, type: EventType) => readonly InputProblem[]

/** An event that may be stored: its data as the text that stays. */
export interface CheckedEvent {
  readonly event: NewEvent
  readonly version: number
  readonly source: string
  readonly data: string
}

type EventTypes = Pick<Catalog, 'eventTypes'>

const tooLarge = 'too_large'

// PostgreSQL's text holds no NUL; other control characters have no place in an id either.
const plainText = /^[^\p{Cc}]+$/u

function checkText(pointer: string, text: string): readonly InputProblem[] {
  const lengthMax = limits.eventAttributeLengthMax
  if (text.length <= lengthMax && plainText.test(text)) return []
  return [
    { pointer, code: 'text', message: `must be 1 to ${lengthMax} characters without control characters` },
  ]
}

function checkAttributes(event: NewEvent, source: string): readonly InputProblem[] {
  const isReference = URL.canParse(source, 'https://example.com')
  return [
    ...checkText('/subject', event.subject),
    ...checkText('/source', source),
    ...(event.externalId === undefined ? [] : checkText('/externalId', event.externalId)),
    ...(isReference
      ? []
      : [{ pointer: '/source', code: 'uri-reference', message: 'must be a URI reference' }]),
  ]
}

function checkSize(data: string): readonly InputProblem[] {
  if (Buffer.byteLength(data) <= limits.eventDataBytesMax) return []
  return [
    {
      pointer: '/data',
      code: tooLarge,
      message: `may have ${limits.eventDataBytesMax} bytes of JSON`,
      fix: 'Send ids and let the receiver read the rest.',
    },
  ]
}

function unknownType(type: string): InputProblem {
  return {
    pointer: '/type',
    code: 'unknown_type',
    message: `there is no event type ${JSON.stringify(type)}`,
    fix: 'Use a type of /asyncapi.json.',
  }
}

function checkOne(
  event: NewEvent,
  { eventTypes }: EventTypes,
  rules: readonly PublisherRule[],
): { readonly problems: readonly InputProblem[]; readonly checked: CheckedEvent | null } {
  const source = event.source ?? hostSource
  const type = eventTypes.get(event.type)
  if (type === undefined)
    return { problems: [unknownType(event.type), ...checkAttributes(event, source)], checked: null }
  const dataProblems = type.checkData(event.data)
  // After the check, which has filled in the defaults.
  const data = JSON.stringify(event.data) ?? ''
  const problems = [
    ...rules.flatMap((rule) => rule(event, type)),
    ...checkAttributes(event, source),
    ...dataProblems.map((problem) => ({ ...problem, pointer: `/data${problem.pointer}` })),
    ...checkSize(data),
  ]
  return { problems, checked: { event, version: type.version, source, data } }
}

function refusal(problems: readonly InputProblem[]): Error {
  const errors = problems.slice(0, limits.inputProblemsMax)
  const onlySize = errors.every(({ code }) => code === tooLarge)
  const [first] = errors
  const detail = `${first?.pointer ?? ''} ${first?.message ?? ''}`.trim()
  return onlySize
    ? EventsErrors.data_too_large(detail, { errors })
    : EventsErrors.invalid_event(detail, { errors })
}

/**
 * Holds events against their types, all or none: every problem of all of them in one refusal, at most
 * `limits.inputProblemsMax`.
 * @throws events.invalid_event, events.data_too_large
 */
export function checkEvents(
  placed: readonly PlacedEvent[],
  catalog: EventTypes,
  rules: readonly PublisherRule[] = [],
): readonly CheckedEvent[] {
  const found: InputProblem[] = []
  const all: CheckedEvent[] = []
  for (const { pointer, event } of placed) {
    const { problems, checked } = checkOne(event, catalog, rules)
    found.push(...problems.map((problem) => ({ ...problem, pointer: pointer + problem.pointer })))
    if (checked !== null) all.push(checked)
    if (found.length >= limits.inputProblemsMax) break
  }
  if (found.length > 0) throw refusal(found)
  return all
}
