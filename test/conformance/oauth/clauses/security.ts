import type { ClauseTable } from './clause.ts'

/** Demonstrating Proof of Possession. */
export const rfc9449 = {
  'rfc9449-4.3-one-header': [
    'There is not more than one DPoP HTTP request header field.',
    'Two proofs in one request are refused.',
  ],
  'rfc9449-4.3-well-formed': [
    'The DPoP HTTP request header field value is a single and well-formed JWT.',
    'A proof that is no JWT is refused.',
  ],
  'rfc9449-4.3-required-claims': [
    'All required claims per Section 4.2 are contained in the JWT.',
    'A proof without jti, htm, htu or iat is refused.',
  ],
  'rfc9449-4.3-typ': [
    'The typ JOSE Header Parameter has the value dpop+jwt.',
    'A proof of another type is refused.',
  ],
  'rfc9449-4.3-alg': [
    'The alg JOSE Header Parameter indicates a registered asymmetric digital signature algorithm [IANA.JOSE.ALGS], is not none, is supported by the application, and is acceptable per local policy.',
    'A proof with alg none or HS256 is refused.',
  ],
  'rfc9449-4.3-signature': [
    'The JWT signature verifies with the public key contained in the jwk JOSE Header Parameter.',
    'A proof signed by another key than it names is refused.',
  ],
  'rfc9449-4.3-no-private-key': [
    'The jwk JOSE Header Parameter does not contain a private key.',
    'A proof that shows its private key is refused.',
  ],
  'rfc9449-4.3-htm': [
    'The htm claim matches the HTTP method of the current request.',
    'A proof for another method is refused.',
  ],
  'rfc9449-4.3-htu': [
    'The htu claim matches the HTTP URI value for the HTTP request in which the JWT was received, ignoring any query and fragment parts.',
    'A proof for another address is refused.',
  ],
  'rfc9449-4.3-iat': [
    'The creation time of the JWT, as determined by either the iat claim or a server managed timestamp via the nonce claim, is within an acceptable window',
    'A proof from ten minutes ago, or of the future, is refused.',
  ],
  'rfc9449-5-token-type': [
    'A token_type of DPoP MUST be included in the access token response to signal to the client that the access token was bound to its DPoP key',
    'A token request with a proof gets a token of type DPoP.',
  ],
  'rfc9449-5-invalid-proof': [
    'If the DPoP proof is invalid, the authorization server issues an error response per Section 5.2 of [RFC6749] with invalid_dpop_proof as the value of the error parameter.',
    'The error of a bad proof is invalid_dpop_proof.',
  ],
  'rfc9449-5-public-refresh': [
    'the refresh token MUST be bound to the respective public key. The binding MUST be validated when the refresh token is later presented to get new access tokens.',
    'A public client gets no refresh token that a key would have to guard.',
  ],
  'rfc9449-5.1-metadata': [
    'dpop_signing_alg_values_supported: A JSON array containing a list of the JWS alg values (from the [IANA.JOSE.ALGS] registry) supported by the authorization server for DPoP proof JWTs.',
    'The metadata names the algorithms, all asymmetric.',
  ],
  'rfc9449-5.2-bound-client': [
    'If the value is true, the authorization server MUST reject token requests from the client that do not contain the DPoP header.',
    'Of an app that must use DPoP, a token request without a proof is refused.',
  ],
  'rfc9449-6.2-introspection': [
    'If the token_type member is included in the introspection response, it MUST contain the value DPoP.',
    'Introspection shows cnf.jkt, the key’s thumbprint, and the type DPoP.',
  ],
  'rfc9449-7-ath': [
    'The DPoP proof MUST include the ath claim with a valid hash of the associated access token.',
    'At the API a proof without ath, or of another token, is refused.',
  ],
  'rfc9449-7.1-proof-required': [
    'For such an access token, a resource server MUST check that a DPoP proof was also received in the DPoP header field of the HTTP request',
    'A bound token without a proof is refused.',
  ],
  'rfc9449-7.1-key': [
    'and check that the public key of the DPoP proof matches the public key to which the access token is bound',
    'A bound token with a proof of another key is refused.',
  ],
  'rfc9449-7.1-challenge': [
    'An algs parameter SHOULD be included to signal to the client the JWS algorithms that are acceptable for the DPoP proof JWT.',
    'The API’s challenge names the scheme DPoP with algs.',
  ],
  'rfc9449-7.2-no-downgrade': [
    'Specifically, such a protected resource MUST reject a DPoP-bound access token received as a bearer token per [RFC6750].',
    'A bound token sent as Bearer is refused.',
  ],
  'rfc9449-10-code-binding': [
    'If they do not match, it MUST reject the request.',
    'A code asked for with dpop_jkt is redeemed with that key only.',
  ],
  'rfc9449-11.1-replay': [
    'To prevent multiple uses of the same DPoP proof, servers can store, in the context of the target URI, the jti value of each DPoP proof for the time window in which the respective DPoP proof JWT would be accepted.',
    'A proof used a second time is refused, at the token endpoint and at the API.',
  ],
} as const satisfies ClauseTable

/** Best Current Practice for OAuth 2.0 Security. */
export const rfc9700 = {
  'rfc9700-2.1-exact-match': [
    'When comparing client redirection URIs against pre-registered URIs, authorization servers MUST utilize exact string matching except for port numbers in localhost redirection URIs of native apps',
    'A redirect URI that begins with a registered one, or lies below it, gets no redirect.',
  ],
  'rfc9700-2.1-no-open-redirector': [
    "Clients and authorization servers MUST NOT expose URLs that forward the user's browser to arbitrary URIs obtained from a query parameter (open redirectors)",
    'Sign-in leads on to addresses of Stoa only.',
  ],
  'rfc9700-2.1.1-enforces-verifier': [
    'If a client sends a valid PKCE code_challenge parameter in the authorization request, the authorization server MUST enforce the correct usage of code_verifier at the token endpoint.',
    'The verifier of another authorization of the same app is refused.',
  ],
  'rfc9700-2.1.1-downgrade': [
    'a token request containing a code_verifier parameter is accepted only if a code_challenge parameter was present in the authorization request',
    'When somebody takes the challenge out of a request on its way, there is no code to redeem.',
  ],
  'rfc9700-2.1.1-detection': [
    'Authorization servers MUST provide a way to detect their support for PKCE.',
    'The metadata names S256 and nothing else.',
  ],
  'rfc9700-2.1.2-no-implicit': [
    'clients SHOULD NOT use the implicit grant (response type token) or other response types issuing access tokens in the authorization response',
    'No response type but code is answered.',
  ],
  'rfc9700-2.2.1-sender-constrained': [
    'Authorization and resource servers SHOULD use mechanisms for sender-constraining access tokens, such as mutual TLS for OAuth 2.0 [RFC8705] or OAuth 2.0 Demonstrating Proof of Possession (DPoP)',
    'A token bound by DPoP opens the API with its key’s proof.',
  ],
  'rfc9700-2.2.2-public-refresh': [
    'Refresh tokens for public clients MUST be sender-constrained or use refresh token rotation',
    'The one public client, the command line, gets no refresh token.',
  ],
  'rfc9700-2.3-audience': [
    'In particular, access tokens SHOULD be audience-restricted to a specific resource server or, if that is not feasible, to a small set of resource servers.',
    'A token of the API opens neither the developer’s, the merchant’s nor the host’s addresses.',
  ],
  'rfc9700-2.3-actions': [
    'Additionally, access tokens SHOULD be restricted to certain resources and actions on resource servers or resources.',
    'A token for reading orders writes none, and none of another merchant is seen.',
  ],
  'rfc9700-2.4-no-password': [
    'The resource owner password credentials grant [RFC6749] MUST NOT be used.',
    'The password grant is neither answered nor in the metadata.',
  ],
  'rfc9700-2.5-asymmetric': [
    'It is RECOMMENDED to use asymmetric cryptography for client authentication',
    'An app with a registered key authenticates by private_key_jwt.',
  ],
  'rfc9700-2.6-no-http': [
    'authorization servers MUST NOT allow redirection URIs that use the http scheme except for native clients that use loopback interface redirection',
    'A manifest with an http redirect URI on another host than loopback is refused at upload.',
  ],
  'rfc9700-2.6-no-cors-at-authorize': [
    'However, CORS MUST NOT be supported at the authorization endpoint, as the client does not access this endpoint directly',
    'No origin may read /oauth/authorize.',
  ],
  'rfc9700-4.2.4-no-referrer': [
    'Suppress the Referer header by applying an appropriate Referrer Policy',
    'Sign-in, consent and error pages give no address of theirs to another site.',
  ],
  'rfc9700-4.12-see-other': [
    "Authorization servers that redirect a request that potentially contains the user's credentials therefore MUST NOT use the HTTP 307 status code for redirection.",
    'Sign-in, consent and the way back to the app redirect with 303.',
  ],
  'rfc9700-4.13-headers': [
    'A reverse proxy MUST therefore sanitize any inbound requests to ensure the authenticity and integrity of all header values relevant for the security of the application servers.',
    'Forwarded headers of a stranger change no address in the metadata.',
  ],
  'rfc9700-4.14.2-scope-bound': [
    'If refresh tokens are issued, those refresh tokens MUST be bound to the scope and resource servers as consented by the resource owner.',
    'A refresh gives what the merchant still grants, never more.',
  ],
  'rfc9700-4.14.2-rotation': [
    'The previous refresh token is invalidated, but information about the relationship is retained by the authorization server.',
    'Use of an old refresh token after its successor’s use ends the whole authorization.',
  ],
  'rfc9700-4.14.2-idle': [
    'Refresh tokens SHOULD expire if the client has been inactive for some time',
    'A refresh token is worth nothing after 90 idle days.',
  ],
  'rfc9700-4.15.1-client-id': [
    'Authorization servers SHOULD NOT allow clients to influence their client_id or any other claim that could cause confusion with a genuine resource owner',
    'A client_id is made by Stoa and is of another form than a subject.',
  ],
  'rfc9700-4.16-clickjacking': [
    'Authorization servers MUST prevent clickjacking attacks.',
    'Sign-in, consent and error pages send frame-ancestors none.',
  ],
} as const satisfies ClauseTable

/** The OAuth 2.1 Authorization Framework, where it asks for more than the RFCs it gathers. */
export const oauth21 = {
  'oauth2.1-4.1.3-verifier-iff-challenge': [
    'verify that the code_verifier parameter is present if and only if a code_challenge parameter was present in the authorization request',
    'A code is redeemed with a verifier and only so.',
  ],
  'oauth2.1-5.2.1-ignores-query': [
    'resource servers MUST ignore access tokens in a URI query parameter.',
    'A token in the query adds nothing to a request without one.',
  ],
  'oauth2.1-5.2.2-validation': [
    'the resource server MUST check that the access token is not yet expired, is authorized to access the requested resource, was issued with the appropriate scope, and meets other policy requirements of the resource server to access the protected resource.',
    'A token of an uninstalled app opens nothing at its next use.',
  ],
} as const satisfies ClauseTable
