export { type AuthorizationServer, makeAuthorizationServer } from './authorization-server.ts'
export { OAuthErrors } from './errors.ts'
export { makeClientSecretHash } from './keys.ts'
