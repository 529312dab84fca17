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
