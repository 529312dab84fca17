/**
 * What signatures are accepted from apps: in client assertions and DPoP proofs, here and at the API. No symmetric one: a
 * key that both sides know proves nothing, and a public key must never be taken for a secret.
 */
export const signatureAlgorithms = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const
