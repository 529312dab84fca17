import { defineErrors } from '../kernel/index.ts'

export const RegistryErrors = defineErrors('registry', {
  app_not_found: {
    status: 404,
    title: 'There is no such app',
    fix: 'Check the id; it may belong to another publisher.',
  },
  merchant_not_found: {
    status: 404,
    title: 'There is no such merchant',
    fix: 'Ask the merchant for its id; it begins with mer_.',
  },
  private_merchant_missing: {
    status: 422,
    title: 'A private app names the one merchant that it is for, and no other app names one',
    fix: 'Send privateMerchantId with visibility private, and only then.',
  },
  credential_not_found: {
    status: 404,
    title: 'There is no such live credential',
    fix: 'Check the id; the credential may have been revoked or belong to another publisher.',
  },
  too_many_credentials: {
    status: 409,
    title: 'The app already has as many live secrets as it may have',
    fix: 'Revoke one first; two allow a rotation without an outage.',
  },
  secret_not_for_class: {
    status: 409,
    title: 'A mini-program has no server that could keep a secret or a private key',
    fix: 'Create the app with the class “backend” or “both”.',
  },
  key_refused: {
    status: 422,
    title: 'A key was refused',
    fix: 'Send public keys for signatures: EC P-256, OKP Ed25519 or RSA of 2048 bits and more, each one once.',
  },
  too_many_keys: {
    status: 409,
    title: 'The app would have more live keys than it may have',
    fix: 'Revoke those that no longer sign; docs/reference/limits.md names the number.',
  },
  key_missing: {
    status: 409,
    title: 'Without a live key the app could no longer prove itself',
    fix: 'Add a key first, see it used, then refuse secrets.',
  },
  redirect_uri_not_reviewed: {
    status: 422,
    title: 'A redirect URI is not in the released manifest',
    fix: 'Settings only narrow what was reviewed: list it in stoa_redirect_uris and release that version.',
  },
  package_refused: {
    status: 422,
    title: 'The package was refused',
    fix: 'Mend everything named in errors; a pointer leads into manifest.json.',
  },
  handlers_syntax: {
    status: 422,
    title: 'The file with the handlers is not JavaScript',
    fix: 'Mend the line; handlers are one classic script, without JSX and types.',
  },
  handlers_too_large: {
    status: 422,
    title: 'The file with the handlers is too large',
    fix: 'Leave out what the handlers do not use.',
  },
  handlers_too_complex: {
    status: 422,
    title: 'The file with the handlers could not be read in time',
    fix: 'Nest the code less deeply.',
  },
  version_not_found: {
    status: 404,
    title: 'There is no such version',
    fix: 'Check the ids; the app may belong to another publisher.',
  },
  version_state: {
    status: 409,
    title: 'The version is in a state that does not allow this',
    fix: 'Read the version; a change of its files is a new upload with a higher version code.',
  },
  version_not_approved: {
    status: 409,
    title: 'Only an approved version can be released',
    fix: 'Submit the version and wait for the review.',
  },
})
