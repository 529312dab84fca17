import { defineErrors } from '../kernel/index.ts'

export const InstallErrors = defineErrors('install', {
  app_not_found: {
    status: 404,
    title: 'There is no such app for this merchant',
    fix: 'Look in the market for what can be installed.',
  },
  not_found: {
    status: 404,
    title: 'There is no such installation',
    fix: 'Check the id; it may belong to another merchant.',
  },
  version_changed: {
    status: 409,
    title: 'The app asks for something else by now',
    fix: 'Look at the permissions again and decide anew.',
  },
  scope_not_offered: {
    status: 422,
    title: 'The app does not offer this permission as an optional one',
    fix: 'Choose among the optional scopes of the consent.',
  },
  separate_consent_missing: {
    status: 422,
    title: 'A needed permission is agreed to separately, and it was not',
    fix: 'Name it in separateScopes, or do not install the app.',
  },
  bound_not_offered: {
    status: 422,
    title: 'The app asks for bounds that this merchant cannot agree to',
    fix: 'Its developer asks for authorization details within its stoa_authorization_details, naming shops of this merchant.',
  },
  two_requests: {
    status: 422,
    title: 'One consent answers one request',
    fix: 'Send interactionUid or userCode, not both.',
  },
  not_installed: {
    status: 409,
    title: 'The app is not installed here, or wants more than was agreed to',
    fix: 'Let an owner or manager of the merchant decide about its permissions first.',
  },
  event_undeliverable: {
    status: 409,
    title: 'The app’s version asks for an event that could never reach it',
    fix: 'Its developer uploads a version whose stoa_events fit this platform’s event types and its own stoa_scopes.',
  },
  bad_transition: {
    status: 409,
    title: 'The installation is in a state that does not allow this',
    fix: 'Read it again; somebody may have uninstalled the app already.',
  },
})
