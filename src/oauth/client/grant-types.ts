import type { ClientRow } from './store.ts'

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** What an app may come to the token endpoint with. The device flow is for those alone whose manifest asks for it. */
export function grantTypesOf(row: Pick<ClientRow, 'manifests'>, hasCodeFlow: boolean): string[] {
  const hasDeviceFlow = row.manifests.some(({ deviceAuthorization }) => deviceAuthorization === true)
  return [
    ...(hasCodeFlow ? ['authorization_code'] : []),
    ...(hasDeviceFlow ? [deviceCodeGrant] : []),
    ...(hasCodeFlow || hasDeviceFlow ? ['refresh_token'] : []),
    'client_credentials',
    tokenExchangeGrant,
  ]
}
