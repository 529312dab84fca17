import type { Localized } from '../../capability/index.ts'
import type { ClientPayload } from '../client/client.ts'
import { deviceCodeGrant } from '../client/grant-types.ts'

/** The platform's own command line. It has no row: it is there as soon as the platform is. */
export const cliClientId = 'stoa-cli'

/** Parts of the API that the command line may be signed in to, with the sentence for whoever decides about it. */
export const cliAudiences = {
  developer: {
    en: 'Register apps, upload and submit versions, release them and read their deliveries, as you can yourself.',
    'zh-CN': '以您的身份注册应用、上传并提交版本、发布以及查看投递记录。',
  },
  account: {
    en: 'See your account, and list and end your sessions and personal tokens.',
    'zh-CN': '查看您的账号，列出并终止您的会话和个人令牌。',
  },
} as const satisfies Readonly<Record<string, Localized>>

export type CliAudience = keyof typeof cliAudiences

/** Whether the scope names a part of the API that the command line may use. */
export function isCliAudience(scope: string): scope is CliAudience {
  return Object.hasOwn(cliAudiences, scope)
}

/**
 * A public client that can do one thing: show a code. RFC 8252 §8.5: secrets in a program that everybody has "should not
 * be treated as confidential", so it has none.
 */
export const cliClient: ClientPayload = {
  client_id: cliClientId,
  client_name: 'Stoa CLI',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [deviceCodeGrant],
  redirect_uris: [],
  response_types: [],
  response_modes: ['query'],
  authorization_details_types: [],
  stoa_secrets: [],
  stoa_keys: [],
  stoa_scopes: Object.keys(cliAudiences),
  stoa_details: [],
}
