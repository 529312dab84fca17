import type { ClauseTable } from './clause.ts'

/** Device Authorization Grant. */
export const rfc8628 = {
  'rfc8628-3.1-client': [
    'public clients provide the "client_id" parameter to identify themselves.',
    'An unknown client_id gets no device code.',
  ],
  'rfc8628-3.2-members': [
    'device_code REQUIRED. The device verification code. user_code REQUIRED. The end-user verification code. verification_uri REQUIRED.',
    'The answer holds device_code, user_code, verification_uri, expires_in and interval.',
  ],
  'rfc8628-3.2-no-store': ['Cache-Control: no-store', 'The answer is not to be stored.'],
  'rfc8628-1-sign-in': [
    'The authorization server authenticates the end user (via the user agent), and prompts the user to input the user code provided by the device client.',
    'Nobody can confirm a user code without a session.',
  ],
  'rfc8628-3.3.1-shows-code': [
    'The server SHOULD display the "user_code" to the user and ask them to verify that it matches the "user_code" being displayed on the device to confirm they are authorizing the correct device.',
    'Also behind verification_uri_complete the page shows the code and asks.',
  ],
  'rfc8628-3.4-code-of-client': [
    'device_code REQUIRED. The device verification code, "device_code" from the device authorization response',
    'Another client’s device code gets invalid_grant.',
  ],
  'rfc8628-3.5-pending': [
    "authorization_pending The authorization request is still pending as the end user hasn't yet completed the user-interaction steps (Section 3.3).",
    'Until the person answers, polling gets authorization_pending.',
  ],
  'rfc8628-3.5-slow-down': [
    'slow_down A variant of "authorization_pending", the authorization request is still pending and polling should continue, but the interval MUST be increased by 5 seconds for this and all subsequent requests.',
    'Polling faster than the interval gets slow_down.',
  ],
  'rfc8628-3.5-access-denied': [
    'access_denied The authorization request was denied.',
    'When the person declines, polling gets access_denied.',
  ],
  'rfc8628-3.5-expired-token': [
    'expired_token The "device_code" has expired, and the device authorization session has concluded.',
    'After its time a device code gets expired_token.',
  ],
  'rfc8628-3.5-single-use': [
    'If the user has approved the grant, the token endpoint responds with a success response defined in Section 5.1 of [RFC6749]',
    'A confirmed device code gives tokens once, then invalid_grant.',
  ],
  'rfc8628-4-metadata': [
    "device_authorization_endpoint OPTIONAL. URL of the authorization server's device authorization endpoint",
    'The metadata names the device authorization endpoint.',
  ],
  'rfc8628-5.1-rate-limit': [
    'It is therefore recommended that the server rate-limit user code attempts.',
    'After ten wrong user codes a person’s next ones are not looked at, right or wrong.',
  ],
  'rfc8628-5.2-entropy': [
    'As the device code is not displayed to the user and thus there are no usability considerations on the length, a very high entropy code SHOULD be used.',
    'A device code holds more than 160 random bits.',
  ],
  'rfc8628-5.4-remote-phishing': [
    'it is RECOMMENDED to inform the user that they are authorizing a device during the user-interaction step (see Section 3.3) and to confirm that the device is in their possession.',
    'The page says that a device asks, which app it is, and asks whether the person started it.',
  ],
  'rfc8628-6.1-input': [
    'When processing the inputted user code, the server should strip dashes and other punctuation that it added for readability (making the inclusion of such punctuation by the user optional).',
    'A user code is taken in small letters and without its dash.',
  ],
} as const satisfies ClauseTable

/** Token Exchange. */
export const rfc8693 = {
  'rfc8693-2.1-subject-token': [
    'subject_token REQUIRED. A security token that represents the identity of the party on behalf of whom the request is being made.',
    'An exchange without a subject token gets invalid_request.',
  ],
  'rfc8693-2.1-subject-token-type': [
    'subject_token_type REQUIRED. An identifier, as described in Section 3, that indicates the type of the security token in the "subject_token" parameter.',
    'An exchange without its type, or with a type nobody knows, gets invalid_request.',
  ],
  'rfc8693-2.1-actor-token-type': [
    'This is REQUIRED when the "actor_token" parameter is present in the request but MUST NOT be included otherwise.',
    'The type of an actor token without the token gets invalid_request.',
  ],
  'rfc8693-2.1-validates': [
    'In processing the request, the authorization server MUST perform the appropriate validation procedures for the indicated token type',
    'A revoked subject token is refused.',
  ],
  'rfc8693-2.2.1-members': [
    'issued_token_type REQUIRED. An identifier, as described in Section 3, for the representation of the issued security token.',
    'The answer holds access_token, issued_token_type, token_type, expires_in and scope.',
  ],
  'rfc8693-2.2.1-no-refresh-token': [
    'refresh_token OPTIONAL. A refresh token will typically not be issued when the exchange is of one temporary credential (the subject_token) for a different temporary credential (the issued token) for use in some other context.',
    'An exchange gives no refresh token.',
  ],
  'rfc8693-2.2.2-invalid-token': [
    'The value of the "error" parameter MUST be the "invalid_request" error code.',
    'An unknown subject token gets invalid_request.',
  ],
  'rfc8693-2.2.2-invalid-target': [
    'the "invalid_target" error code SHOULD be used in the error response.',
    'An exchange for another resource gets invalid_target.',
  ],
  'rfc8693-4.1-act': [
    'The "act" (actor) claim provides a means within a JWT to express that delegation has occurred and identify the acting party to whom authority has been delegated.',
    'Introspection of an exchanged token names who acts.',
  ],
  'rfc8693-4.1-chain': [
    'A chain of delegation can be expressed by nesting one "act" claim within another.',
    'A second exchange nests the first actor.',
  ],
  'rfc8693-5-not-wider': [
    'Any time one principal is delegated the rights of another principal, the potential for abuse is a concern. The use of the "scope" claim (in addition to other typical constraints such as a limited token lifetime) is suggested to mitigate potential for such abuse',
    'An exchange for a scope the subject token lacks gets invalid_scope, and no exchanged token outlives it.',
  ],
} as const satisfies ClauseTable
