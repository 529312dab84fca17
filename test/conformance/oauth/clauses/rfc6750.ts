import type { ClauseTable } from './clause.ts'

/** Bearer Token Usage. */
export const rfc6750 = {
  'rfc6750-2-one-method': [
    'Clients MUST NOT use more than one method to transmit the token in each request.',
    'Only the header counts: a good token elsewhere does not help a bad one there.',
  ],
  'rfc6750-2.1-header': [
    'Resource servers MUST support this method.',
    'The API takes an access token in the Authorization header.',
  ],
  'rfc6750-2.2-no-form': [
    'This method SHOULD NOT be used except in application contexts where participating browsers do not have access to the "Authorization" request header field.',
    'An access token in a form body is nobody’s.',
  ],
  'rfc6750-2.3-no-query': [
    'Because of the security weaknesses associated with the URI method (see Section 5), including the high likelihood that the URL containing the access token will be logged, it SHOULD NOT be used unless it is impossible to transport the access token in the "Authorization" request header field or the HTTP request entity-body.',
    'An access token in the query is nobody’s.',
  ],
  'rfc6750-3-challenge': [
    'the resource server MUST include the HTTP "WWW-Authenticate" response header field',
    'A request without a token gets 401 and a challenge.',
  ],
  'rfc6750-3-bearer': [
    'All challenges defined by this specification MUST use the auth-scheme value "Bearer". This scheme MUST be followed by one or more auth-param values.',
    'The challenge is Bearer with at least one parameter.',
  ],
  'rfc6750-3-no-error-without-token': [
    'If the request lacks any authentication information (e.g., the client was unaware that authentication is necessary or attempted using an unsupported authentication method), the resource server SHOULD NOT include an error code or other error information.',
    'The challenge to a request without a token names no error.',
  ],
  'rfc6750-3-charset': [
    'Values for the "error" and "error_description" attributes MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E.',
    'Error and description of a challenge are plain ASCII without quotation mark and backslash.',
  ],
  'rfc6750-3.1-invalid-token': [
    'invalid_token The access token provided is expired, revoked, malformed, or invalid for other reasons. The resource SHOULD respond with the HTTP 401 (Unauthorized) status code.',
    'A malformed, unknown or revoked token gets 401 with invalid_token.',
  ],
  'rfc6750-3.1-insufficient-scope': [
    'insufficient_scope The request requires higher privileges than provided by the access token. The resource server SHOULD respond with the HTTP 403 (Forbidden) status code and MAY include the "scope" attribute with the scope necessary to access the protected resource.',
    'A token without the operation’s scope gets 403, insufficient_scope and the missing scope.',
  ],
  'rfc6750-5.2-short-lived': [
    'Token servers SHOULD issue short-lived (one hour or less) bearer tokens',
    'An access token says at most an hour and is worth nothing after it.',
  ],
} as const satisfies ClauseTable
