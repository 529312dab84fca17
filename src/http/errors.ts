import { defineErrors } from '../kernel/index.ts'

export const HttpErrors = defineErrors('http', {
  not_found: {
    status: 404,
    title: 'There is nothing at this address',
    fix: 'Check the address; /openapi.json describes the API, / leads to the pages.',
  },
  csrf_refused: {
    status: 403,
    title: 'The form did not come from our own page',
    fix: 'Open the page again and send its form; programs use a personal token instead of the session cookie.',
  },
  bad_request: {
    status: 400,
    title: 'The request cannot be read',
    fix: 'Check the address, the headers and the encoding of the body.',
  },
})
