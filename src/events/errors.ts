import { defineErrors } from '../kernel/index.ts'

export const EventsErrors = defineErrors('events', {
  invalid_event: {
    status: 422,
    title: 'The event is not what its type says',
    fix: 'Mend the places named in errors; each has a JSON pointer.',
  },
  data_too_large: {
    status: 413,
    title: 'The event’s data is too large',
    fix: 'Send ids and let the receiver read the rest.',
  },
  external_id_taken: {
    status: 409,
    title: 'This source has already published another event with that id',
    fix: 'Use one id per event; to repeat a publication safely send the same event again.',
  },
})

/** Why a delivery ended, or an attempt failed, before its receiver had a say: `error` of the attempt. */
export const eventFailures = {
  'events.event_gone': {
    title: 'The event is no longer kept in a form that may be sent',
    fix: 'Read the present state by the API.',
  },
  'events.permission_ended': {
    title: 'The installation or its permission has ended',
    fix: 'Nothing; the merchant can install the app again.',
  },
  'events.scope_withdrawn': {
    title: 'The scope that this event needs is no longer granted',
    fix: 'Ask the merchant for the scope again.',
  },
} as const

export type EventFailureCode = keyof typeof eventFailures
