import type { ClauseTable } from './clause.ts'

/** Token Revocation. */
export const rfc7009 = {
  'rfc7009-2-refresh-token': [
    'Implementations MUST support the revocation of refresh tokens',
    'A revoked refresh token gets invalid_grant.',
  ],
  'rfc7009-2-access-token': [
    'and SHOULD support the revocation of access tokens',
    'A revoked access token opens nothing.',
  ],
  'rfc7009-2.1-post': [
    'The client requests the revocation of a particular token by making an HTTP POST request to the token revocation endpoint URL.',
    'GET /oauth/revoke answers 405.',
  ],
  'rfc7009-2.1-client-authentication': [
    'The authorization server first validates the client credentials (in case of a confidential client)',
    'Without its secret a client gets invalid_client and revokes nothing.',
  ],
  'rfc7009-2.1-own-tokens': [
    'and then verifies whether the token was issued to the client making the revocation request.',
    'Another app’s token stays alive.',
  ],
  'rfc7009-2.1-cascade': [
    'If the particular token is a refresh token and the authorization server supports the revocation of access tokens, then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant',
    'Revoking the refresh token ends the access tokens of its authorization.',
  ],
  'rfc7009-2.1-immediate': [
    'The invalidation takes place immediately, and the token cannot be used again after the revocation.',
    'The very next request with a revoked token is refused, though it was just accepted.',
  ],
  'rfc7009-2.1-hint': [
    'If the server is unable to locate the token using the given hint, it MUST extend its search across all of its supported token types.',
    'A refresh token is revoked under the hint access_token and under a hint nobody knows.',
  ],
  'rfc7009-2.2-invalid-token': [
    'The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the client submitted an invalid token.',
    'An unknown token is answered with 200, as a revoked one is.',
  ],
  'rfc7009-2.2.1-errors': [
    'The error presentation conforms to the definition in Section 5.2 of [RFC6749].',
    'A revocation request without a token gets 400 invalid_request as JSON.',
  ],
} as const satisfies ClauseTable

/** Token Introspection. */
export const rfc7662 = {
  'rfc7662-2.1-protected': [
    'To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint',
    'Introspection without client authentication is refused.',
  ],
  'rfc7662-2.1-post': [
    'The protected resource calls the introspection endpoint using an HTTP POST [RFC7231] request with parameters sent as "application/x-www-form-urlencoded" data',
    'GET /oauth/introspect answers 405.',
  ],
  'rfc7662-2.1-hint': [
    'If the server is unable to locate the token using the given hint, it MUST extend its search across all of its supported token types.',
    'A refresh token is found under the hint access_token.',
  ],
  'rfc7662-2.2-json': [
    'The server responds with a JSON object [RFC7159] in "application/json" format',
    'The answer is application/json.',
  ],
  'rfc7662-2.2-active': [
    'active REQUIRED. Boolean indicator of whether or not the presented token is currently active.',
    'A live token is active, with its client, scope, type, times, issuer and audience.',
  ],
  'rfc7662-2.2-inactive': [
    'If the introspection call is properly authorized but the token is not active, does not exist on this server, or the protected resource is not allowed to introspect this particular token, then the authorization server MUST return an introspection response with the "active" field set to "false".',
    'An unknown token is answered with 200 and active: false.',
  ],
  'rfc7662-2.2-foreign-token': [
    'or the protected resource is not allowed to introspect this particular token, then the authorization server MUST return an introspection response with the "active" field set to "false".',
    'Another app’s live token is inactive.',
  ],
  'rfc7662-2.2-no-details': [
    'the authorization server SHOULD NOT include any additional information about an inactive token, including why the token is inactive.',
    'The answer for an inactive token has the one member active.',
  ],
  'rfc7662-2.3-unauthorized': [
    'the authorization server responds with an HTTP 401 (Unauthorized) as described in Section 5.2 of OAuth 2.0 [RFC6749].',
    'A wrong secret gets 401 invalid_client.',
  ],
  'rfc7662-4-expired': [
    'If the token can expire, the authorization server MUST determine whether or not the token has expired.',
    'An expired token is inactive.',
  ],
  'rfc7662-4-revoked': [
    'If the token can be revoked after it was issued, the authorization server MUST determine whether or not such a revocation has taken place.',
    'A revoked token is inactive.',
  ],
} as const satisfies ClauseTable

/** Resource Indicators. */
export const rfc8707 = {
  'rfc8707-2-absolute-uri': [
    'Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986].',
    'A resource that is no absolute URI gets invalid_target.',
  ],
  'rfc8707-2-no-fragment': [
    'The URI MUST NOT include a fragment component.',
    'The API’s address with a fragment gets invalid_target.',
  ],
  'rfc8707-2.1-invalid-target': [
    'If the authorization server fails to parse the provided value(s) or does not consider the resource(s) acceptable, it should reject the request with an error response using the error code "invalid_target"',
    'An authorization for a resource Stoa does not know gets invalid_target.',
  ],
  'rfc8707-2-audience': [
    'The authorization server SHOULD audience-restrict issued access tokens to the resource(s) indicated by the "resource" parameter.',
    'The audience of a token is the API’s address.',
  ],
  'rfc8707-2.2-token-request': [
    'In the case of a "refresh_token" or "authorization_code" grant type request, such policy may limit the acceptable resources to those that were originally granted by the resource owner or a subset thereof.',
    'A refresh for another resource gets invalid_target.',
  ],
} as const satisfies ClauseTable
