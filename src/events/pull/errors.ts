import { defineErrors } from '../../kernel/index.ts'

export const StreamErrors = defineErrors('stream', {
  app_token_required: {
    status: 403,
    title: 'This needs the app’s own token',
    fix: 'Use a token of the client credentials grant: the stream is the app’s, across all its merchants.',
  },
  sequence_ahead: {
    status: 409,
    title: 'The stream has not come that far',
    fix: 'Use a sequence that this stream has given; lastSequence names the highest.',
  },
  too_many_waiting: {
    status: 429,
    title: 'Too many requests of this app wait already',
    fix: 'Wait with one request per process of yours, or take a WebSocket.',
  },
  no_room_to_wait: {
    status: 503,
    title: 'Too many requests wait here already',
    fix: 'Try again after the seconds named in Retry-After, or ask without waitSeconds.',
  },
})
