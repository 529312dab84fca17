import type { ClauseTable } from './clause.ts'

/** The OAuth 2.0 Authorization Framework: clients, the authorization endpoint, the code grant. */
export const rfc6749 = {
  'rfc6749-2.3-one-method': [
    'The client MUST NOT use more than one authentication method in each request.',
    'A request that authenticates by header and by body at once is refused.',
  ],
  'rfc6749-2.3.1-basic': [
    'The authorization server MUST support the HTTP Basic authentication scheme for authenticating clients that were issued a client password.',
    'A client secret is taken by HTTP Basic.',
  ],
  'rfc6749-2.3.1-basic-encoding': [
    'The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the encoded value is used as the username',
    'User name and password of HTTP Basic are decoded as form values.',
  ],
  'rfc6749-2.3.1-not-in-uri': [
    'The parameters can only be transmitted in the request-body and MUST NOT be included in the request URI.',
    'A client secret in the query of the address authenticates nobody.',
  ],
  'rfc6749-3.1-get': [
    'The authorization server MUST support the use of the HTTP "GET" method [RFC2616] for the authorization endpoint',
    'GET /oauth/authorize leads to the sign-in page.',
  ],
  'rfc6749-3.1-authenticates-owner': [
    'The authorization server MUST first verify the identity of the resource owner.',
    'Without a session the request leads to sign-in and to no code.',
  ],
  'rfc6749-3.1-empty-parameter': [
    'Parameters sent without a value MUST be treated as if they were omitted from the request.',
    'An empty scope asks for the default, as no scope does.',
  ],
  'rfc6749-3.1-unknown-parameter': [
    'The authorization server MUST ignore unrecognized request parameters.',
    'An authorization request with a parameter that nobody knows goes on.',
  ],
  'rfc6749-3.1-no-duplicate': [
    'Request and response parameters MUST NOT be included more than once.',
    'An authorization request that names a parameter twice is refused.',
  ],
  'rfc6749-3.1.1-response-type': [
    'If an authorization request is missing the "response_type" parameter, or if the response type is not understood, the authorization server MUST return an error response as described in Section 4.1.2.1.',
    'A missing or unknown response type leads back to the app with an error.',
  ],
  'rfc6749-3.1.2-no-fragment': [
    'The endpoint URI MUST NOT include a fragment component.',
    'A redirect URI with a fragment, also an empty one, gets no redirect.',
  ],
  'rfc6749-3.1.2.2-registered': [
    'The authorization server SHOULD require all clients to register their redirection endpoint prior to utilizing the authorization endpoint.',
    'A client whose released manifest names no redirect URI cannot start an authorization.',
  ],
  'rfc6749-3.1.2.3-simple-comparison': [
    'If the client registration included the full redirection URI, the authorization server MUST compare the two URIs using simple string comparison as defined in [RFC3986] Section 6.2.1.',
    'A redirect URI that differs in a slash, a letter’s case, a port or a query gets no redirect.',
  ],
  'rfc6749-3.1.2.3-must-be-named': [
    'If multiple redirection URIs have been registered, if only part of the redirection URI has been registered, or if no redirection URI has been registered, the client MUST include a redirection URI with the authorization request',
    'Of an app with two redirect URIs a request that names neither is refused on a page.',
  ],
  'rfc6749-3.1.2.4-no-redirect': [
    'the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the user-agent to the invalid redirection URI.',
    'A foreign redirect URI ends on an error page of Stoa.',
  ],
  'rfc6749-3.2-post': [
    'The client MUST use the HTTP "POST" method when making access token requests.',
    'GET /oauth/token answers 405.',
  ],
  'rfc6749-3.2-unknown-parameter': [
    'The authorization server MUST ignore unrecognized request parameters.',
    'A token request with a parameter that nobody knows is answered.',
  ],
  'rfc6749-3.2-no-duplicate': [
    'Request and response parameters MUST NOT be included more than once.',
    'A token request that names a parameter twice is refused with invalid_request.',
  ],
  'rfc6749-3.2.1-client-authentication': [
    'Confidential clients or other clients issued client credentials MUST authenticate with the authorization server as described in Section 2.3 when making requests to the token endpoint.',
    'Without its secret a client gets invalid_client.',
  ],
  'rfc6749-3.3-default-scope': [
    'If the client omits the scope parameter when requesting authorization, the authorization server MUST either process the request using a pre-defined default value or fail the request indicating an invalid scope.',
    'Without scope a request asks for the whole released manifest.',
  ],
  'rfc6749-3.3-tells-scope': [
    'If the issued access token scope is different from the one requested by the client, the authorization server MUST include the "scope" response parameter to inform the client of the actual scope granted.',
    'When the merchant refuses an optional scope, the token response names what was granted.',
  ],
  'rfc6749-4.1.2-code-lifetime': [
    'The authorization code MUST expire shortly after it is issued to mitigate the risk of leaks. A maximum authorization code lifetime of 10 minutes is RECOMMENDED.',
    'A code is worth nothing after 60 s.',
  ],
  'rfc6749-4.1.2-code-single-use': [
    'If an authorization code is used more than once, the authorization server MUST deny the request',
    'The second use of a code gets invalid_grant.',
  ],
  'rfc6749-4.1.2-code-reuse-revokes': [
    'and SHOULD revoke (when possible) all tokens previously issued based on that authorization code.',
    'The second use of a code ends the tokens of the first.',
  ],
  'rfc6749-4.1.2-state': [
    'REQUIRED if the "state" parameter was present in the client authorization request. The exact value received from the client.',
    'The code comes back with exactly the state that was sent.',
  ],
  'rfc6749-4.1.2.1-access-denied': [
    'access_denied The resource owner or authorization server denied the request.',
    'When the merchant declines, the app gets access_denied in the query, and no code.',
  ],
  'rfc6749-4.1.2.1-error-state': [
    'REQUIRED if a "state" parameter was present in the client authorization request. The exact value received from the client.',
    'An error comes back with exactly the state that was sent.',
  ],
  'rfc6749-4.1.2.1-unknown-client': [
    'or if the client identifier is missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the user-agent to the invalid redirection URI.',
    'An unknown client_id ends on an error page of Stoa.',
  ],
  'rfc6749-4.1.2.1-invalid-scope': [
    'invalid_scope The requested scope is invalid, unknown, or malformed.',
    'A scope outside the released manifest leads back with invalid_scope.',
  ],
  'rfc6749-4.1.2.1-error-charset': [
    'Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E.',
    'Whatever was sent, the description of an authorization error is plain ASCII without quotation mark and backslash.',
  ],
  'rfc6749-4.1.3-code-of-client': [
    'ensure that the authorization code was issued to the authenticated confidential client',
    'Another app’s code gets invalid_grant.',
  ],
  'rfc6749-4.1.3-code-valid': [
    'verify that the authorization code is valid',
    'A code with one character changed gets invalid_grant.',
  ],
  'rfc6749-4.1.3-redirect-uri': [
    'ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter was included in the initial authorization request as described in Section 4.1.1, and if included ensure that their values are identical.',
    'A code is redeemed only with the redirect URI of its request.',
  ],
  'rfc6749-4.3.2-no-password': [
    'the authorization server MUST protect the endpoint against brute force attacks (e.g., using rate-limitation or generating alerts).',
    'There is no password grant at all: unsupported_grant_type.',
  ],
  'rfc6749-4.4-confidential-only': [
    'The client credentials grant type MUST only be used by confidential clients.',
    'Client credentials without client authentication are refused.',
  ],
  'rfc6749-4.4.3-no-refresh-token': [
    'A refresh token SHOULD NOT be included.',
    'Client credentials give no refresh token.',
  ],
} as const satisfies ClauseTable

/** The same RFC: responses of the token endpoint, refreshing, security considerations. */
export const rfc6749Tokens = {
  'rfc6749-5.1-members': [
    'access_token REQUIRED. The access token issued by the authorization server. token_type REQUIRED. The type of the token issued as described in Section 7.1.',
    'Each token response holds access_token and token_type.',
  ],
  'rfc6749-5.1-expires-in': [
    'expires_in RECOMMENDED. The lifetime in seconds of the access token.',
    'Each token response says for how many seconds the token lives.',
  ],
  'rfc6749-5.1-json': [
    'The parameters are included in the entity-body of the HTTP response using the "application/json" media type as defined by [RFC4627].',
    'Token responses are application/json.',
  ],
  'rfc6749-5.1-no-store': [
    'The authorization server MUST include the HTTP "Cache-Control" response header field [RFC2616] with a value of "no-store" in any response containing tokens, credentials, or other sensitive information',
    'Token responses carry Cache-Control: no-store; Pragma is HTTP/1.0 and OAuth 2.1 no longer asks for it.',
  ],
  'rfc6749-5.2-status-400': [
    'The authorization server responds with an HTTP 400 (Bad Request) status code (unless specified otherwise)',
    'A token request that is no request gets 400 with a JSON error.',
  ],
  'rfc6749-5.2-invalid-client': [
    'the authorization server MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field matching the authentication scheme used by the client.',
    'A wrong secret by HTTP Basic gets 401 and a Basic challenge.',
  ],
  'rfc6749-5.2-unauthorized-client': [
    'unauthorized_client The authenticated client is not authorized to use this authorization grant type.',
    'An app without a redirect URI gets unauthorized_client for the code grant.',
  ],
  'rfc6749-5.2-unsupported-grant-type': [
    'unsupported_grant_type The authorization grant type is not supported by the authorization server.',
    'An unknown grant type gets unsupported_grant_type.',
  ],
  'rfc6749-5.2-error-charset': [
    'Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E.',
    'Whatever was sent, the description of a token error is plain ASCII without quotation mark and backslash.',
  ],
  'rfc6749-6-client-authentication': [
    'require client authentication for confidential clients or for any client that was issued client credentials',
    'A refresh without client authentication is refused.',
  ],
  'rfc6749-6-client-bound': [
    'Because refresh tokens are typically long-lasting credentials used to request additional access tokens, the refresh token is bound to the client to which it was issued.',
    'Another app’s refresh token gets invalid_grant.',
  ],
  'rfc6749-6-scope-not-wider': [
    'The requested scope MUST NOT include any scope not originally granted by the resource owner',
    'A refresh that asks for a scope beyond the granted ones gets invalid_scope.',
  ],
  'rfc6749-6-scope-omitted': [
    'and if omitted is treated as equal to the scope originally granted by the resource owner.',
    'A refresh without scope gives every granted scope.',
  ],
  'rfc6749-6-scope-identical': [
    'If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh token included by the client in the request.',
    'A narrower refresh narrows the access token; the next refresh has the full scope again.',
  ],
  'rfc6749-10.4-not-guessable': [
    'The authorization server MUST ensure that refresh tokens cannot be generated, modified, or guessed to produce valid refresh tokens by unauthorized parties.',
    'A refresh token with one character changed gets invalid_grant.',
  ],
  'rfc6749-10.10-entropy': [
    'The probability of an attacker guessing generated tokens (and other credentials not intended for handling by end-users) MUST be less than or equal to 2^(-128) and SHOULD be less than or equal to 2^(-160).',
    'Codes and tokens hold more than 160 random bits and never repeat.',
  ],
  'rfc6749-10.12-csrf': [
    'The authorization server MUST implement CSRF protection for its authorization endpoint and ensure that a malicious client cannot obtain authorization without the awareness and explicit consent of the resource owner.',
    'The consent form without its token is refused and gives no code.',
  ],
  'rfc6749-10.13-clickjacking': [
    'For most newer browsers, avoidance of iframes can be enforced by the authorization server using the (non-standard) "x-frame-options" header.',
    'Sign-in, consent and error pages send X-Frame-Options: DENY.',
  ],
  'rfc6749-10.14-sanitize': [
    'The authorization server and client MUST sanitize (and validate when possible) any value received -- in particular, the value of the "state" and "redirect_uri" parameters.',
    'Markup in a parameter stands as text on the error page.',
  ],
} as const satisfies ClauseTable
