import { defineErrors } from '../kernel/index.ts'

export const ReviewErrors = defineErrors('review', {
  case_not_found: { status: 404, title: 'There is no such review case', fix: 'Check the id.' },
  case_state: {
    status: 409,
    title: 'The review case is in a state that does not allow this',
    fix: 'Read the case again; somebody else may have decided it.',
  },
  own_app: {
    status: 403,
    title: 'Nobody decides about an app of their own team',
    fix: 'Leave the case to another reviewer.',
  },
  reason_required: {
    status: 422,
    title: 'A rejection says why',
    fix: 'Send reasonCode and reasonText in English and Chinese; the developer reads both.',
  },
  package_differs: {
    status: 409,
    title: 'The decision is about other bytes than the case',
    fix: 'Send the packageSha256 of the case whose package you have looked at.',
  },
  blocker_found: {
    status: 409,
    title: 'The automatic checks found something that must not be approved',
    fix: 'Reject the version; the finding says what the developer has to mend.',
  },
})
