import { describe, expect, test } from 'vitest'
import type { Mechanism } from '../../../src/oauth/client/authentication.ts'
import { toClientPayload } from '../../../src/oauth/client/client.ts'
import { deviceCodeGrant, tokenExchangeGrant } from '../../../src/oauth/client/grant-types.ts'
import type { ClientRow } from '../../../src/oauth/client/store.ts'

const uri = 'https://app.example.com/callback'
const row: ClientRow = {
  app_id: 'app_1',
  class: 'backend',
  narrowed_redirect_uris: [],
  secrets: [['crd_1', 'hash']],
  keys: [],
  ...{ require_pushed_request: false, require_dpop: false, require_private_key_jwt: false },
  manifests: [
    {
      redirectUris: [uri],
      scopes: { required: [{ name: 'order:read' }], optional: [{ name: 'order:write' }] },
    },
  ],
}
const options = {
  supportedScopes: ['order:read', 'order:write', 'storage:read'],
  placeholderSecret: 'placeholder',
}

function clientOf(changes: Partial<ClientRow>, mechanism: Mechanism = 'other') {
  return toClientPayload({ ...row, ...changes }, { ...options, mechanism })
}

describe('an app as a client', () => {
  test('with a released redirect URI has the code flow', () => {
    expect(clientOf({})).toEqual({
      client_id: 'app_1',
      client_secret: 'placeholder',
      token_endpoint_auth_method: 'client_secret_basic',
      require_pushed_authorization_requests: false,
      dpop_bound_access_tokens: false,
      redirect_uris: [uri],
      response_types: ['code'],
      response_modes: ['query'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', tokenExchangeGrant],
      authorization_details_types: [],
      stoa_secrets: [['crd_1', 'hash']],
      stoa_keys: [],
      stoa_scopes: ['order:read', 'order:write'],
      stoa_details: [],
    })
  })

  test.each([
    ['nothing is released', { manifests: [] }],
    ['it is a mini-program', { class: 'mini-program' }],
    ['the manifest names none', { manifests: [{ redirectUris: null, scopes: null }] }],
    ['the settings leave none', { narrowed_redirect_uris: ['https://app.example.com/other'] }],
    ['the stored one is unusable', { manifests: [{ redirectUris: ['nonsense', `${uri}#x`], scopes: null }] }],
  ])('has client credentials only when %s', (_why, changes) => {
    expect(clientOf(changes)).toMatchObject({
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials', tokenExchangeGrant],
    })
  })

  test('whose manifest asks for the device flow has it, with refresh tokens, also without a redirect URI', () => {
    const manifests = [{ redirectUris: null, scopes: null, deviceAuthorization: true }]
    expect(clientOf({ manifests }).grant_types).toEqual([
      ...[deviceCodeGrant, 'refresh_token', 'client_credentials', tokenExchangeGrant],
    ])
  })

  test('may ask for the types of authorization details that its manifests declare, each once', () => {
    const details = [
      { type: 'refund', currency: 'CNY' },
      { type: 'refund', currency: 'USD' },
      { type: 'shops' },
    ]
    const client = clientOf({ manifests: [{ redirectUris: null, scopes: null, details }] })
    expect(client.authorization_details_types).toEqual(['refund', 'shops'])
    expect(client.stoa_details).toEqual(details)
  })

  test('settings only narrow: what the manifest does not name is not added', () => {
    const narrowed_redirect_uris = [uri, 'https://evil.example.com/callback']
    expect(clientOf({ narrowed_redirect_uris }).redirect_uris).toEqual([uri])
  })

  test('two active releases count together, each once', () => {
    const other = { redirectUris: [uri, `${uri}2`], scopes: { optional: [{ name: 'storage:read' }] } }
    const client = clientOf({ manifests: [...row.manifests, other] })
    expect(client.redirect_uris).toEqual([uri, `${uri}2`])
    expect(client.stoa_scopes).toEqual(options.supportedScopes)
  })

  test('a scope the platform no longer has is left out', () => {
    const gone = { redirectUris: [uri], scopes: { required: [{ name: 'gone:read' }] } }
    expect(clientOf({ manifests: [gone] }).stoa_scopes).toEqual([])
  })

  test('is held to what its settings say', () => {
    expect(clientOf({ require_pushed_request: true, require_dpop: true })).toMatchObject({
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
    })
  })
})

describe('an app with a key', () => {
  const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'ci', alg: 'ES256', use: 'sig' } as const
  const keys: ClientRow['keys'] = [['crd_2', jwk]]
  const byKey = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }

  test('is a client with keys to a request with an assertion', () => {
    const client = clientOf({ keys }, 'assertion')
    expect(client).toMatchObject({ ...byKey, stoa_keys: [['crd_2', 'ci', 'ES256']] })
    expect(client).not.toHaveProperty('client_secret')
  })

  test('and one with secrets to any other, until it refuses them', () => {
    expect(clientOf({ keys })).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic' })
    const refusing = clientOf({ keys, require_private_key_jwt: true })
    expect(refusing).toMatchObject(byKey)
    expect(refusing).not.toHaveProperty('client_secret')
  })

  test('that was its last and is gone proves nothing any more', () => {
    expect(clientOf({}, 'assertion').token_endpoint_auth_method).toBe('client_secret_basic')
    const client = clientOf({ require_private_key_jwt: true }, 'assertion')
    expect(client).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } })
  })
})
