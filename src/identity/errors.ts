import { defineErrors } from '../kernel/index.ts'

export const IdentityErrors = defineErrors('identity', {
  registration_closed: {
    status: 403,
    title: 'This platform does not let people register themselves',
    fix: 'Ask an owner of the organisation, or the platform, for an invitation.',
  },
  email_taken: {
    status: 409,
    title: 'Somebody has registered this email address',
    fix: 'Sign in with it, or use another address.',
  },
  sign_in_refused: {
    status: 401,
    title: 'The email address or the password is wrong',
    fix: 'Check both; the answer is the same for an address that nobody has registered.',
  },
  password_too_common: {
    status: 422,
    title: 'This password is one of the first that anybody would try',
    fix: 'Choose another; a few words in a row that have nothing to do with you or this platform are good.',
  },
  password_required: {
    status: 403,
    title: 'This needs your password',
    fix: 'Send it once more: a session or a token alone does not change how you sign in.',
  },
  password_refused: {
    status: 403,
    title: 'This is not your password',
    fix: 'Check it; nothing was changed.',
  },
  sign_in_again: {
    status: 403,
    title: 'You signed in too long ago for this',
    fix: 'Sign in once more and repeat it within 15 minutes; you have no password that could be asked for instead.',
  },
  email_missing: {
    status: 409,
    title: 'A password needs an email address, and you have none',
    fix: 'Ask the platform for an invitation to your address, or go on without a password.',
  },
  second_factor_required: {
    status: 401,
    title: 'The password is right; a code is missing',
    fix: 'Send it as totp: six digits from the authenticator app, or a recovery code.',
  },
  second_factor_refused: {
    status: 401,
    title: 'The code is wrong or was used before',
    fix: 'Wait for the next code of the authenticator app; a recovery code works once.',
  },
  second_factor_exists: {
    status: 409,
    title: 'You have a second factor already',
    fix: 'Remove it first, then set up the new one.',
  },
  second_factor_not_found: {
    status: 404,
    title: 'You have no second factor',
    fix: 'Set one up first.',
  },
  enrolment_not_valid: {
    status: 422,
    title: 'This enrolment is over',
    fix: 'Begin it again; it lasts a few minutes and works once, for the person who began it.',
  },
  code_refused: {
    status: 422,
    title: 'This is not the code that the secret gives now',
    fix: 'Check the clock of the device, and send the code it shows at this moment.',
  },
  too_many_attempts: {
    status: 429,
    title: 'Too many attempts from here',
    fix: 'Try again after the seconds named in Retry-After; other people and other places are not affected.',
  },
  token_not_found: {
    status: 404,
    title: 'There is no such token of yours',
    fix: 'List your tokens; it may have ended already.',
  },
  too_many_tokens: {
    status: 409,
    title: 'You have as many live tokens as one person may have',
    fix: 'Revoke one that is not used any more.',
  },
  session_not_found: {
    status: 404,
    title: 'There is no such session of yours',
    fix: 'List your sessions; it may have ended already.',
  },
  invitation_not_valid: {
    status: 404,
    title: 'This invitation cannot be accepted',
    fix: 'It was accepted, withdrawn or has expired; ask for another one.',
  },
  invitation_not_found: {
    status: 404,
    title: 'There is no such open invitation',
    fix: 'It was accepted, withdrawn or has expired.',
  },
  too_many_invitations: {
    status: 409,
    title: 'Too many invitations are open',
    fix: 'Withdraw those that nobody will accept.',
  },
  already_member: {
    status: 409,
    title: 'You have this membership already',
    fix: 'Nothing is left to accept; the invitation stays open for the person it was meant for.',
  },
  too_many_memberships: {
    status: 409,
    title: 'This person has as many memberships as one person may have',
    fix: 'End one of them first.',
  },
  member_not_found: {
    status: 404,
    title: 'There is no such member here',
    fix: 'List the members; the membership may have ended already.',
  },
  last_owner: {
    status: 409,
    title: 'The last owner cannot be removed',
    fix: 'Invite another owner first.',
  },
  merchant_not_found: {
    status: 404,
    title: 'There is no such merchant',
    fix: 'List the merchants, or look for your own id with externalId.',
  },
  merchant_exists: {
    status: 409,
    title: 'Another merchant has this externalId',
    fix: 'The member merchantId names it; the same request again would have been answered with it.',
  },
  parent_not_an_organisation: {
    status: 422,
    title: 'The parent is not an organisation',
    fix: 'Name the id of a merchant of the kind organisation, or leave parentId out.',
  },
})
