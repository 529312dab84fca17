import type { ClauseTable } from './clause.ts'

/** Proof Key for Code Exchange. */
export const rfc7636 = {
  'rfc7636-4.1-verifier-length': [
    'code-verifier = 43*128unreserved',
    'A verifier of 42 characters is refused, though its hash is the challenge.',
  ],
  'rfc7636-4.2-s256': [
    'If the client is capable of using "S256", it MUST use "S256", as "S256" is Mandatory To Implement (MTI) on the server.',
    'A code asked for with an S256 challenge is redeemed with its verifier.',
  ],
  'rfc7636-4.2-challenge-form': [
    'code-challenge = 43*128unreserved',
    'A challenge that no S256 can have made is refused at /oauth/authorize.',
  ],
  'rfc7636-4.4-not-extractable': [
    'The server MUST NOT include the "code_challenge" value in client requests in a form that other entities can extract.',
    'Neither code nor redirect holds the challenge.',
  ],
  'rfc7636-4.4.1-required': [
    'and the client does not send the "code_challenge" in the request, the authorization endpoint MUST return the authorization error response with the "error" value set to "invalid_request".',
    'An authorization request without a challenge gets invalid_request, of confidential clients too.',
  ],
  'rfc7636-4.4.1-unsupported-method': [
    'If the server supporting PKCE does not support the requested transformation, the authorization endpoint MUST return the authorization error response with "error" value set to "invalid_request".',
    'The method plain, named or by default, gets invalid_request.',
  ],
  'rfc7636-4.6-verifier-missing': [
    'Upon receipt of the request at the token endpoint, the server verifies it by calculating the code challenge from the received "code_verifier" and comparing it with the previously associated "code_challenge"',
    'A code without a verifier gets invalid_grant.',
  ],
  'rfc7636-4.6-verifier-wrong': [
    'If the values are not equal, an error response indicating "invalid_grant" as described in Section 5.2 of [RFC6749] MUST be returned.',
    'A code with another verifier gets invalid_grant.',
  ],
} as const satisfies ClauseTable

/** OAuth 2.0 for Native Apps. */
export const rfc8252 = {
  'rfc8252-6-pkce': [
    'Public native app clients MUST implement the Proof Key for Code Exchange (PKCE [RFC7636]) extension to OAuth, and authorization servers MUST support PKCE for such clients, for the reasons detailed in Section 8.1.',
    'A request of a loopback redirect URI without PKCE is refused.',
  ],
  'rfc8252-7.3-any-port': [
    'The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect URIs, to accommodate clients that obtain an available ephemeral port from the operating system at the time of the request.',
    'A redirect URI on 127.0.0.1 is accepted with any port, and the code goes to that port.',
  ],
  'rfc8252-7.3-ipv6': ['http://[::1]:{port}/{path}', 'So is one on [::1].'],
  'rfc8252-8.3-no-localhost': [
    'the use of localhost is NOT RECOMMENDED. Specifying a redirect URI with the loopback IP literal rather than localhost avoids inadvertently listening on network interfaces other than the loopback interface.',
    'The name localhost is neither reviewed nor accepted in place of 127.0.0.1.',
  ],
  'rfc8252-8.4-exact-path': [
    'the exception is loopback redirects, where an exact match is required except for the port URI component.',
    'Of a loopback redirect URI everything but the port is compared exactly.',
  ],
  'rfc8252-8.6-consent': [
    'the authorization server SHOULD NOT process authorization requests automatically without user consent or interaction, except when the identity of the client can be assured.',
    'Consent is asked at each request, also of an app that was allowed before.',
  ],
} as const satisfies ClauseTable

/** Authorization Server Issuer Identification. */
export const rfc9207 = {
  'rfc9207-2-success': [
    'In authorization responses to the client, including error responses, an authorization server supporting this specification MUST indicate its identity by including the iss parameter in the response.',
    'The response with a code holds iss.',
  ],
  'rfc9207-2-error': [
    'including error responses, an authorization server supporting this specification MUST indicate its identity by including the iss parameter in the response.',
    'The response with an error holds iss.',
  ],
  'rfc9207-2.3-identical': [
    "The issuer identifier included in the server's metadata value issuer MUST be identical to the iss parameter's value.",
    'The value of iss is the issuer of the metadata, to the character.',
  ],
  'rfc9207-2.3-metadata': [
    'The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true.',
    'The metadata says so.',
  ],
} as const satisfies ClauseTable

/** Pushed Authorization Requests. */
export const rfc9126 = {
  'rfc9126-2-audience': [
    'the authorization server MUST accept its issuer identifier, token endpoint URL, or pushed authorization request endpoint URL as values that identify it as an intended audience.',
    'A client assertion for any of the three is taken at the endpoint.',
  ],
  'rfc9126-2.1-client-authentication': [
    'Authenticate the client in the same way as at the token endpoint (Section 2.3 of [RFC6749]).',
    'Pushing without the secret gets invalid_client.',
  ],
  'rfc9126-2.1-no-request-uri': [
    'Reject the request if the request_uri authorization request parameter is provided.',
    'A pushed request_uri gets invalid_request.',
  ],
  'rfc9126-2.1-validates': [
    'Validate the pushed request as it would an authorization request sent to the authorization endpoint.',
    'A foreign redirect URI, a foreign scope and a missing challenge are refused when pushed.',
  ],
  'rfc9126-2.2-created': [
    'the server MUST generate a request URI and provide it in the response with a 201 HTTP status code.',
    'The answer is 201 with request_uri and expires_in, not to be stored.',
  ],
  'rfc9126-2.2-unpredictable': [
    'it MUST contain some part generated using a cryptographically strong pseudorandom algorithm such that it is computationally infeasible to predict or guess a valid value',
    'Each request_uri holds 128 random bits or more.',
  ],
  'rfc9126-2.2-client-bound': [
    'The request_uri value MUST be bound to the client that posted the authorization request.',
    'Another app’s request_uri is refused.',
  ],
  'rfc9126-2.3-method': [
    'If the request did not use the POST method, the authorization server responds with an HTTP 405 (Method Not Allowed) status code.',
    'GET /oauth/par answers 405.',
  ],
  'rfc9126-4-one-time': [
    'Authorization servers SHOULD treat request_uri values as one-time use',
    'A request_uri that led to a code leads nowhere again.',
  ],
  'rfc9126-4-expired': [
    'An expired request_uri MUST be rejected as invalid.',
    'A request_uri is refused after a minute.',
  ],
  'rfc9126-5-metadata': [
    'pushed_authorization_request_endpoint The URL of the pushed authorization request endpoint at which a client can post an authorization request to exchange for a request_uri value usable at the authorization server.',
    'The metadata names the endpoint for pushed requests.',
  ],
  'rfc9126-6-required': [
    'require_pushed_authorization_requests Boolean parameter indicating whether the only means of initiating an authorization request the client is allowed to use is PAR.',
    'Of an app that must push, any other request is refused.',
  ],
} as const satisfies ClauseTable

/** Rich Authorization Requests. */
export const rfc9396 = {
  'rfc9396-2-array': [
    'The request parameter authorization_details contains, in JSON notation, an array of objects.',
    'Anything else gets invalid_authorization_details.',
  ],
  'rfc9396-2-type': [
    'type: An identifier for the authorization details type as a string.',
    'Details without a type get invalid_authorization_details.',
  ],
  'rfc9396-5-unknown-type': [
    'The AS MUST refuse to process any unknown authorization details type or authorization details not conforming to the respective type definition.',
    'An unknown type gets invalid_authorization_details.',
  ],
  'rfc9396-5-unknown-field': [
    'is an object of known type but containing unknown fields',
    'A member nobody declared gets invalid_authorization_details.',
  ],
  'rfc9396-5-wrong-value': [
    'contains fields with invalid values for the authorization details type',
    'A negative amount gets invalid_authorization_details.',
  ],
  'rfc9396-5-missing-field': [
    'is missing required fields for the authorization details type',
    'An amount without a currency gets invalid_authorization_details.',
  ],
  'rfc9396-6-not-wider': [
    'Otherwise, the AS refuses the request with the error code invalid_authorization_details (similar to invalid_scope).',
    'A token request for more than the merchant agreed to is refused.',
  ],
  'rfc9396-7-token-response': [
    'the authorization server MUST also return the authorization_details as granted by the resource owner and assigned to the respective access token.',
    'The token response holds the granted details.',
  ],
  'rfc9396-9.2-introspection': [
    'the information MUST be conveyed with authorization_details as a top-level member of the introspection response JSON object.',
    'Introspection shows the granted details.',
  ],
  'rfc9396-10-metadata': [
    'the supported list of authorization details types is included in the AS metadata response [RFC8414] using the metadata parameter authorization_details_types_supported, which is a JSON array.',
    'The metadata names the types.',
  ],
} as const satisfies ClauseTable
