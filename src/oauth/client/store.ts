import type { JWK } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { execute, sql } from '../../db/index.ts'
import { limits, type Queries, toDate } from '../../kernel/index.ts'
import { appRuleInForce } from '../../rules/index.ts'

export interface ClientRow {
  readonly app_id: string
  /** backend, mini-program or both */
  readonly class: string
  /** Empty: every redirect URI of the manifest. */
  readonly narrowed_redirect_uris: readonly string[]
  /** [credential id, hash] of each live secret. */
  readonly secrets: readonly (readonly [string, string])[]
  /** [credential id, public JWK] of each live key. */
  readonly keys: readonly (readonly [string, PublicJwk])[]
  readonly require_pushed_request: boolean
  readonly require_dpop: boolean
  readonly require_private_key_jwt: boolean
  readonly manifests: readonly ManifestPart[]
}

/** As the registry stores it: public members, with a kid. */
export type PublicJwk = JWK & { readonly kid: string }

export interface ManifestPart {
  readonly redirectUris: readonly string[] | null
  readonly details?: readonly AuthorizationDetail[] | null
  readonly deviceAuthorization?: boolean | null
  readonly scopes: {
    readonly required?: readonly { readonly name: string }[]
    readonly optional?: readonly { readonly name: string }[]
  } | null
}

/**
 * An app as a client: its live secrets and keys and what its released manifests allow. A release below one that everybody gets
 * counts no more. A stopped or archived app is no client.
 */
export async function findClient(q: Queries, appId: string, nowMs: number): Promise<ClientRow | null> {
  const [row] = await sql<ClientRow>(
    q,
    `select a.id as app_id, a.class, coalesce(s.redirect_uris, '{}') as narrowed_redirect_uris,
       coalesce(s.require_pushed_request, false) as require_pushed_request,
       coalesce(s.require_dpop, false) as require_dpop,
       coalesce(s.require_private_key_jwt, false) as require_private_key_jwt,
       coalesce((select jsonb_agg(jsonb_build_array(c.id, c.public_jwk) order by c.id) from credential c
         where c.app_id = a.id and c.kind = 'key' and c.revoked_at is null
           and (c.expires_at is null or c.expires_at > $2)), '[]') as keys,
       coalesce((select jsonb_agg(jsonb_build_array(c.id, c.secret_hash) order by c.id) from credential c
         where c.app_id = a.id and c.kind = 'secret' and c.revoked_at is null
           and (c.expires_at is null or c.expires_at > $2)), '[]') as secrets,
       coalesce((select jsonb_agg(jsonb_build_object(
           'redirectUris', v.manifest -> 'stoa_redirect_uris', 'scopes', v.manifest -> 'stoa_scopes',
           'details', v.manifest -> 'stoa_authorization_details',
           'deviceAuthorization', v.manifest -> 'stoa_device_authorization') order by v.code)
         from release r join version v on v.id = r.version_id
         where r.app_id = a.id and r.state = 'active' and v.state = 'released' and not exists (
           select 1 from release n where n.app_id = a.id and n.state = 'active' and n.cohort = 'all'
             and n.percentage = 100 and (n.created_at, n.id) > (r.created_at, r.id))), '[]') as manifests
     from app a left join app_setting s on s.app_id = a.id
     where a.id = $1 and a.archived_at is null and not exists (
       select 1 from rule u where ${appRuleInForce('u', '$2')} and u.effect in ('stop', 'revoke_tokens')
         and u.merchant_id is null
         and (u.app_id is null or u.app_id = a.id) and (u.publisher_id is null or u.publisher_id = a.publisher_id))`,
    appId,
    toDate(nowMs),
  )
  return row ?? null
}

/** Notes that a secret was used, unless that was noted a short while ago: parallel calls must not queue on one row. */
export async function touchCredential(
  q: Queries,
  appId: string,
  credentialId: string,
  nowMs: number,
): Promise<void> {
  await execute(
    q,
    `update credential set last_used_at = $3 where app_id = $1 and id = $2
       and (last_used_at is null or last_used_at < $4)`,
    appId,
    credentialId,
    toDate(nowMs),
    toDate(nowMs - limits.credentialSeenMs),
  )
}
