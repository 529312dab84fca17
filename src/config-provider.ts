import { isLoopbackAddress, KernelErrors, type StoaError } from './kernel/index.ts'

/** What membership of one of the provider's groups gives. */
interface GroupRole {
  readonly group: string
  readonly gives:
    | { readonly kind: 'platform'; readonly role: 'reviewer' | 'operator' }
    | { readonly kind: 'merchant'; readonly merchant: string; readonly role: 'owner' | 'manager' | 'staff' }
}

/** The host's identity provider. */
export interface ProviderConfig {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly name: string
  readonly scope: string
  readonly groupsClaim: string
  readonly groupRoles: readonly GroupRole[]
  readonly linkByEmail: boolean
}

/** The settings of it; a part of the table in config.ts. */
export const providerSettings = [
  {
    name: 'STOA_OIDC_ISSUER',
    fallback: '',
    description:
      'Issuer of the host’s identity provider (OpenID Connect), https. Empty: people sign in by password and passkey alone. Its redirect URI for Stoa is STOA_PUBLIC_URL/sign-in/oidc/callback.',
  },
  {
    name: 'STOA_OIDC_CLIENT_ID',
    fallback: '',
    description: 'What the identity provider knows Stoa by. Required with STOA_OIDC_ISSUER.',
  },
  {
    name: 'STOA_OIDC_CLIENT_SECRET',
    fallback: '',
    description: 'The secret that goes with it. Required with STOA_OIDC_ISSUER.',
    secret: true,
  },
  {
    name: 'STOA_OIDC_NAME',
    fallback: 'the issuer’s host name',
    description: 'What people call the identity provider: “Sign in with …”.',
  },
  {
    name: 'STOA_OIDC_SCOPE',
    fallback: 'openid email profile',
    description: 'What is asked of the identity provider; some want a scope of their own for groups.',
  },
  {
    name: 'STOA_OIDC_GROUPS_CLAIM',
    fallback: 'groups',
    description: 'The claim that lists a person’s groups.',
  },
  {
    name: 'STOA_OIDC_GROUP_ROLES',
    fallback: '{}',
    description:
      'JSON: group → role or roles. reviewer, operator, or merchant:ID:owner|manager|staff with the host’s own id of the merchant or ours. One * in the group stands for the ID: {"shop-*-owners":"merchant:*:owner"}.',
  },
  {
    name: 'STOA_OIDC_LINK_BY_EMAIL',
    fallback: 'false',
    description:
      'true: the first sign-in by the identity provider leads to the account with the same verified address, if the host has vouched for it (docs/decisions/0031).',
  },
] as const

type Name = (typeof providerSettings)[number]['name']

function invalid(name: Name, why: string, cause?: unknown): StoaError {
  return KernelErrors.invalid_configuration(`${name}: ${why}`, cause === undefined ? {} : { cause })
}

function issuerOf(text: string, loopbackAllowed: boolean): URL {
  if (!URL.canParse(text)) throw invalid('STOA_OIDC_ISSUER', 'must be an address like https://id.example.com')
  const url = new URL(text)
  // OpenID Connect Discovery §3: "with no query or fragment components".
  if (`${url.search}${url.hash}${url.username}${url.password}` !== '')
    throw invalid('STOA_OIDC_ISSUER', 'must have no query, fragment or user')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isLocal = loopbackAllowed && (host === 'localhost' || isLoopbackAddress(host))
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))
    throw invalid('STOA_OIDC_ISSUER', 'must be https')
  return url
}

const platformRole = /^(reviewer|operator)$/
const merchantRole = /^merchant:(.+):(owner|manager|staff)$/

function roleOf(group: string, text: unknown): GroupRole {
  const role = typeof text === 'string' ? text : ''
  const [, platform] = platformRole.exec(role) ?? []
  if (platform !== undefined)
    return { group, gives: { kind: 'platform', role: platform as 'reviewer' | 'operator' } }
  const [, merchant = '', at] = merchantRole.exec(role) ?? []
  if (at === undefined)
    throw invalid(
      'STOA_OIDC_GROUP_ROLES',
      `${JSON.stringify(group)}: a role is reviewer, operator or merchant:ID:owner|manager|staff`,
    )
  const stars = group.split('*').length - 1
  const fits = merchant === '*' ? stars === 1 : stars === 0 && !merchant.includes('*')
  if (!fits)
    throw invalid(
      'STOA_OIDC_GROUP_ROLES',
      `${JSON.stringify(group)}: one * in the group goes with * as the merchant, and none without`,
    )
  return { group, gives: { kind: 'merchant', merchant, role: at as 'owner' | 'manager' | 'staff' } }
}

function groupRolesOf(text: string): readonly GroupRole[] {
  let table: unknown
  try {
    table = JSON.parse(text)
  } catch (error) {
    throw invalid('STOA_OIDC_GROUP_ROLES', 'must be one JSON object', error)
  }
  if (typeof table !== 'object' || table === null || Array.isArray(table))
    throw invalid('STOA_OIDC_GROUP_ROLES', 'must be one JSON object')
  return Object.entries(table).flatMap(([group, roles]) =>
    (Array.isArray(roles) ? roles : [roles]).map((role: unknown) => {
      const rule = roleOf(group, role)
      // "*" would make everybody of a group like it the platform's staff.
      if (rule.gives.kind === 'platform' && group.includes('*'))
        throw invalid('STOA_OIDC_GROUP_ROLES', `${JSON.stringify(group)}: a platform role needs a whole name`)
      return rule
    }),
  )
}

function required(value: string | null, name: Name): string {
  if (value === null) throw invalid(name, 'is required with STOA_OIDC_ISSUER')
  return value
}

/**
 * The settings STOA_OIDC_* as a whole; null without an issuer.
 * @throws kernel.invalid_configuration
 */
export function providerConfigOf(
  read: (name: Name) => string | null,
  loopbackAllowed: boolean,
): ProviderConfig | null {
  const issuer = read('STOA_OIDC_ISSUER')
  if (issuer === null) {
    const orphan = providerSettings.map(({ name }) => name).find((name) => read(name) !== null)
    if (orphan !== undefined) throw invalid(orphan, 'is set, but STOA_OIDC_ISSUER is not')
    return null
  }
  const url = issuerOf(issuer, loopbackAllowed)
  const scope = read('STOA_OIDC_SCOPE') ?? 'openid email profile'
  // OpenID Connect Core §3.1.2.1: "OpenID Connect requests MUST contain the openid scope value."
  if (!scope.split(' ').includes('openid')) throw invalid('STOA_OIDC_SCOPE', 'must hold openid')
  const link = read('STOA_OIDC_LINK_BY_EMAIL') ?? 'false'
  if (link !== 'true' && link !== 'false') throw invalid('STOA_OIDC_LINK_BY_EMAIL', 'must be true or false')
  return {
    // As it was written: OpenID Connect Discovery §4.3 wants it to "exactly match".
    issuer,
    clientId: required(read('STOA_OIDC_CLIENT_ID'), 'STOA_OIDC_CLIENT_ID'),
    clientSecret: required(read('STOA_OIDC_CLIENT_SECRET'), 'STOA_OIDC_CLIENT_SECRET'),
    name: read('STOA_OIDC_NAME') ?? url.host,
    scope,
    groupsClaim: read('STOA_OIDC_GROUPS_CLAIM') ?? 'groups',
    groupRoles: groupRolesOf(read('STOA_OIDC_GROUP_ROLES') ?? '{}'),
    linkByEmail: link === 'true',
  }
}
