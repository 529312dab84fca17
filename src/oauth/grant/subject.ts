import { hmacSha256 } from '../../kernel/index.ts'
import type { OAuthKeys } from '../keys.ts'

/**
 * What an app knows a person or installation by. OpenID Connect Core 1.0 §8.1: a pairwise identifier is one that "MUST
 * NOT be reversible by any party other than the OpenID Provider" and differs from app to app.
 */
export function subjectFor(keys: Pick<OAuthKeys, 'subjects'>, appId: string, accountId: string): string {
  return hmacSha256(keys.subjects, `${appId} ${accountId}`).toString('base64url')
}
