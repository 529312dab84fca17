import type { ClauseTable } from './clause.ts'

/** Authorization Server Metadata. */
export const rfc8414 = {
  'rfc8414-2-issuer': [
    'issuer REQUIRED. The authorization server\'s issuer identifier, which is a URL that uses the "https" scheme and has no query or fragment components.',
    'The issuer is the public address: an origin, nothing behind it.',
  ],
  'rfc8414-2-endpoints': [
    "authorization_endpoint URL of the authorization server's authorization endpoint",
    'Every endpoint of the metadata stands on the issuer’s origin and answers.',
  ],
  'rfc8414-2-response-types': [
    'response_types_supported REQUIRED. JSON array containing a list of the OAuth 2.0 "response_type" values that this authorization server supports.',
    'The list response_types_supported is code.',
  ],
  'rfc8414-2-grant-types': [
    'grant_types_supported OPTIONAL. JSON array containing a list of the OAuth 2.0 grant type values that this authorization server supports.',
    'Each grant type of the list is known to the token endpoint, and password and implicit are not in it.',
  ],
  'rfc8414-2-auth-methods': [
    'token_endpoint_auth_methods_supported OPTIONAL. JSON array containing a list of client authentication methods supported by this token endpoint.',
    'Both secret methods of the list work, and none is symmetric JWT.',
  ],
  'rfc8414-2-signing-algorithms': [
    'The value "none" MUST NOT be used.',
    'No list of signing algorithms holds none or a symmetric one.',
  ],
  'rfc8414-2-scopes': [
    'scopes_supported RECOMMENDED. JSON array containing a list of the OAuth 2.0 [RFC6749] "scope" values that this authorization server supports.',
    'The list scopes_supported has the scopes of the API.',
  ],
  'rfc8414-2-jwks': [
    'The referenced document contains the signing key(s) the client uses to validate signatures from the authorization server.',
    'The JWK Set holds public signing keys with kid, alg and use, and nothing private.',
  ],
  'rfc8414-2-challenge-methods': [
    'If omitted, the authorization server does not support PKCE.',
    'The list code_challenge_methods_supported is S256.',
  ],
  'rfc8414-3-well-known': [
    "Authorization servers supporting metadata MUST make a JSON document containing metadata as specified in Section 2 available at a path formed by inserting a well-known URI string into the authorization server's issuer identifier between the host component and the path component, if any.",
    'The document stands at /.well-known/oauth-authorization-server.',
  ],
  'rfc8414-3.1-get': [
    'An authorization server metadata document MUST be queried using an HTTP "GET" request at the previously specified path.',
    'POST to the document’s address answers 405.',
  ],
  'rfc8414-3.2-json': [
    'A successful response MUST use the 200 OK HTTP status code and return a JSON object using the "application/json" content type',
    'The document is application/json.',
  ],
  'rfc8414-3.2-no-empty': [
    'Claims with zero elements MUST be omitted from the response.',
    'No list of the document is empty.',
  ],
  'rfc8414-3.3-identical': [
    'The "issuer" value returned MUST be identical to the authorization server\'s issuer identifier value into which the well-known URI string was inserted to create the URL used to retrieve the metadata.',
    'The issuer is the address under which the document was asked for.',
  ],
  'rfc8414-5-openid': [
    'the well-known URI string used to retrieve it is "openid-configuration"',
    'The OpenID document says the same.',
  ],
} as const satisfies ClauseTable

/** Protected Resource Metadata. */
export const rfc9728 = {
  'rfc9728-2-authorization-servers': [
    'authorization_servers OPTIONAL. JSON array containing a list of OAuth authorization server issuer identifiers',
    'The API’s document names this issuer.',
  ],
  'rfc9728-3.3-identical': [
    "The resource value returned MUST be identical to the protected resource's resource identifier value into which the well-known URI path suffix was inserted to create the URL used to retrieve the metadata.",
    'The document of /v1 says that it is about /v1.',
  ],
  'rfc9728-5.1-challenge': [
    'resource_metadata: The URL of the protected resource metadata.',
    'The challenge of the API names the document.',
  ],
} as const satisfies ClauseTable

/** JWT Profile for OAuth 2.0 Access Tokens: not used. */
export const rfc9068 = {
  'rfc9068-6-opaque': [
    'As JWT access tokens carry information by value, it now becomes possible for clients and potentially even end users to directly peek inside the token claims collection of unencrypted tokens.',
    'An access token is opaque: a prefix and random characters.',
  ],
} as const satisfies ClauseTable
