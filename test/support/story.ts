import * as oauth from 'oauth4webapi'
import { packFiles } from '../../runtime/node/index.ts'
import type { ApiClient } from './api-client.ts'
import { callerOf, type TestPerson, type TestPlatform } from './platform.ts'
import type { PageAnswer, TestBrowser } from './test-browser.ts'

/** A team with its first member. */
export interface TestPublisher {
  readonly publisherId: string
  readonly owner: TestPerson
}

export interface TestMerchant {
  readonly merchantId: string
  readonly name: string
  readonly owner: TestPerson
}

export interface AppSpec {
  readonly name?: string
  readonly class?: 'backend' | 'mini-program' | 'both'
  readonly visibility?: 'public' | 'private' | 'internal'
  readonly privateMerchantId?: string
  readonly manifest?: ManifestSpec
}

export interface ManifestSpec {
  /** Of the app, as merchants see it. */
  readonly name?: string
  readonly required?: readonly string[]
  readonly optional?: readonly string[]
  readonly events?: readonly string[]
  /** stoa_authorization_details */
  readonly details?: readonly object[]
  /** stoa_device_authorization */
  readonly device?: boolean
  /** Source of handlers.js. */
  readonly handlers?: string
  /** Version code; the name follows. */
  readonly code?: number
  /** Further members of the manifest, as they stand there. */
  readonly members?: Readonly<Record<string, unknown>>
  /** Default: one on loopback, or none with handlers. */
  readonly redirectUris?: readonly string[]
}

export interface TestApp {
  readonly appId: string
  readonly clientSecret: string
  readonly versionId: string
  readonly publisher: TestPublisher
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
  readonly installation_id: string
  readonly merchant_id: string
  /** What the access token is bound to: a scope that was granted asks for it. */
  readonly key?: CryptoKeyPair | undefined
  readonly authorization_details?: readonly object[]
  readonly id_token?: string
}

export const redirectUri = 'http://127.0.0.1:9/callback'
export const host = { kind: 'host' } as const

/** The developer's sentence for a scope, in both languages. */
const purposeOf = (scope: string) => ({ en: `because of ${scope}`, 'zh-CN': `因为需要 ${scope}` })

function manifestOf(spec: ManifestSpec) {
  const { name = 'Test app', required = [], optional = [], events = [], handlers, code = 1, members } = spec
  const redirectUris = spec.redirectUris ?? (handlers === undefined ? [redirectUri] : [])
  const asked = (names: readonly string[]) => names.map((name) => ({ name, purpose: purposeOf(name) }))
  return {
    ...{ app_id: 'com.example.test', name, icons: [], pages: [] },
    platform_version: { min_code: 1 },
    version: { code, name: `1.0.${code}` },
    stoa_scopes: { required: asked(required), optional: asked(optional) },
    stoa_events: events.map((type) => ({ type, version: 1 })),
    ...(redirectUris.length === 0 ? {} : { stoa_redirect_uris: redirectUris }),
    ...(handlers === undefined ? {} : { stoa_handlers: 'handlers.js' }),
    ...(spec.details === undefined ? {} : { stoa_authorization_details: spec.details }),
    ...(spec.device === undefined ? {} : { stoa_device_authorization: spec.device }),
    ...members,
  }
}

/** A package whose manifest says what `spec` says. */
export function packageOf(spec: ManifestSpec): Promise<Uint8Array> {
  const files = new Map([['manifest.json', JSON.stringify(manifestOf(spec))]])
  if (spec.handlers !== undefined) files.set('handlers.js', spec.handlers)
  return packFiles(files)
}

/** What happens on the platform before a test begins, by HTTP where a person would do it by HTTP. */
export interface Story {
  publisher(owner?: TestPerson): Promise<TestPublisher>
  merchant(name?: string, owner?: TestPerson): Promise<TestMerchant>
  /** Makes the person a member; with no person, somebody new. */
  member(merchantId: string, role: 'owner' | 'manager' | 'staff', person?: TestPerson): Promise<TestPerson>
  staff(role: 'reviewer' | 'operator'): Promise<TestPerson>
  /** Registers an app and releases its first version. */
  publish(publisher: TestPublisher, spec?: AppSpec): Promise<TestApp>
  /** Uploads, submits, approves and releases another version; gives its id. */
  release(app: Omit<TestApp, 'versionId'>, manifest: ManifestSpec): Promise<string>
  /** Installs by the API; gives the installation's id. */
  install(merchant: TestMerchant, app: TestApp, optionalScopes?: readonly string[]): Promise<string>
  /** Installs by the code flow, as a browser and an independent client do it. */
  connect(
    merchant: TestMerchant,
    app: TestApp,
    optionalScopes?: readonly string[],
    parameters?: Readonly<Record<string, string>>,
  ): Promise<Tokens>
}

export function makeStory(at: TestPlatform): Story {
  let reviewer: Promise<TestPerson> | null = null

  const join = async (admission: string, input: object, person: TestPerson): Promise<void> => {
    const { invitation } = await at.act<{ invitation: { token: string } | null }>(admission, host, {
      ...input,
      email: person.email,
    })
    // Somebody who has accepted an invitation to this address before is a member at once.
    if (invitation === null) return
    await at.act('invitation.join', await callerOf(at, person), { token: invitation.token })
  }

  const story: Story = {
    async publisher(owner) {
      const person = owner ?? (await at.person())
      const { id } = await person.api.call<{ id: string }>('POST', '/developer/v1/publishers', {
        name: 'Tea Tools',
      })
      return { publisherId: id, owner: person }
    },
    async merchant(name = 'Green Leaf Tea', owner) {
      const { id } = await at.host.call<{ id: string }>('POST', '/host/v1/merchants', { kind: 'shop', name })
      return { merchantId: id, name, owner: await story.member(id, 'owner', owner) }
    },
    async member(merchantId, role, person) {
      const member = person ?? (await at.person())
      await join('merchant_member.create', { merchantId, role }, member)
      return member
    },
    async staff(role) {
      const person = await at.person()
      await join('staff.create', { role }, person)
      return person
    },
    async publish(publisher, spec = {}) {
      const { api } = publisher.owner
      const { id, clientSecret } = await api.call<{ id: string; clientSecret: string | null }>(
        'POST',
        '/developer/v1/apps',
        {
          publisherId: publisher.publisherId,
          name: spec.name ?? 'Order printer',
          class: spec.class ?? 'backend',
          ...(spec.visibility === undefined ? {} : { visibility: spec.visibility }),
          ...(spec.privateMerchantId === undefined ? {} : { privateMerchantId: spec.privateMerchantId }),
        },
      )
      const app = { appId: id, clientSecret: clientSecret ?? '', publisher }
      return { ...app, versionId: await story.release(app, spec.manifest ?? { required: ['order:read'] }) }
    },
    async release({ appId, publisher }, manifest) {
      const { api } = publisher.owner
      const versionId = await upload(api, appId, manifest)
      const submissions = `/developer/v1/apps/${appId}/versions/${versionId.id}/submissions`
      const submission = await api.call<{ id: string }>('POST', submissions)
      await at.platform.checkCase(submission.id)
      reviewer ??= story.staff('reviewer')
      await (await reviewer).api.call('POST', `/review/v1/cases/${submission.id}/decisions`, {
        decision: 'approve',
        packageSha256: versionId.packageSha256,
      })
      await api.call('POST', `/developer/v1/apps/${appId}/releases`, { versionId: versionId.id })
      return versionId.id
    },
    async install(merchant, app, optionalScopes = []) {
      const path = `/merchant/v1/merchants/${merchant.merchantId}`
      const { api } = merchant.owner
      const { required } = await api.call<{ required: readonly { scope: string; separate: boolean }[] }>(
        'GET',
        `${path}/apps/${app.appId}/consent`,
      )
      const separateScopes = required.filter(({ separate }) => separate).map(({ scope }) => scope)
      const { appId, versionId } = app
      const { installation } = await api.call<{ installation: { id: string } }>(
        'POST',
        `${path}/installations`,
        { appId, versionId, optionalScopes, separateScopes, locale: 'en' },
      )
      return installation.id
    },
    async connect(merchant, app, optionalScopes = [], parameters = {}) {
      const flow = await startCodeFlow(at, app, parameters)
      const browser = at.browser(merchant.owner)
      const page = await browser.follow(await browser.open(flow.path))
      const back = await allow(browser, page, optionalScopes)
      return redeem(at, app, flow, back)
    },
  }
  return story
}

async function upload(
  api: ApiClient,
  appId: string,
  manifest: ManifestSpec,
): Promise<{ readonly id: string; readonly packageSha256: string }> {
  const { status, body, text } = await api.request<{ id: string; packageSha256: string }>(
    'POST',
    `/developer/v1/apps/${appId}/versions`,
    { raw: await packageOf(manifest), headers: { 'content-type': 'application/zip' } },
  )
  if (status !== 201) throw new Error(`the upload answered ${status}: ${text}`)
  return body
}

// ── the code flow, with oauth4webapi as the client

export interface CodeFlow {
  readonly as: oauth.AuthorizationServer
  /** Path and query of the authorization request. */
  readonly path: string
  readonly state: string
  readonly codeVerifier: string
}

/** Loopback is the one place where http is allowed. */
const plainHttp = { [oauth.allowInsecureRequests]: true } as const

/** `asked`: a scope, or further parameters of the authorization request. */
export async function startCodeFlow(
  at: TestPlatform,
  app: TestApp,
  asked: string | Readonly<Record<string, string>> = {},
): Promise<CodeFlow> {
  const issuer = new URL(at.publicUrl)
  const metadata = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plainHttp })
  const as = await oauth.processDiscoveryResponse(issuer, metadata)
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint ?? '')
  const parameters = {
    client_id: app.appId,
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    ...(typeof asked === 'string' ? { scope: asked } : asked),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return { as, path: url.pathname + url.search, state, codeVerifier }
}

/** The boxes of the page that must be ticked for an installation. */
function separateOf({ html }: PageAnswer): readonly string[] {
  return [...html.matchAll(/<input[^>]* name="separate" value="([^"]+)"/g)].map(([, scope = '']) => scope)
}

/** Allows on the consent page and follows to where the app waits: its redirect URI. */
export async function allow(
  browser: TestBrowser,
  page: PageAnswer,
  optionalScopes: readonly string[] = [],
): Promise<URL> {
  const ticked = { optional: optionalScopes, separate: separateOf(page) }
  const answered = await browser.submit(page, { decision: 'allow', ...ticked })
  const back = await browser.follow(answered)
  if (back.location === null) throw new Error(`consent ended with ${back.status}: ${back.html.slice(0, 800)}`)
  return new URL(back.location, back.url)
}

/** Redeems the code as any client would: with a DPoP proof when the platform asks for one. */
export async function redeem(at: TestPlatform, app: TestApp, flow: CodeFlow, back: URL): Promise<Tokens> {
  const client = { client_id: app.appId }
  const callback = oauth.validateAuthResponse(flow.as, client, back, flow.state)
  const auth = oauth.ClientSecretBasic(app.clientSecret)
  const request = (options: oauth.TokenEndpointRequestOptions) =>
    oauth.authorizationCodeGrantRequest(
      ...([flow.as, client, auth, callback, redirectUri, flow.codeVerifier, options] as const),
    )
  let key: CryptoKeyPair | undefined
  let response = await request(plainHttp)
  if (response.status === 400 && (await response.clone().text()).includes('invalid_dpop_proof')) {
    key = await oauth.generateKeyPair('ES256')
    response = await request({ ...plainHttp, DPoP: oauth.DPoP({}, key) })
  }
  if (response.status !== 200) throw new Error(`${at.baseUrl} gave no tokens: ${await response.text()}`)
  const tokens = await oauth.processAuthorizationCodeResponse(flow.as, client, response)
  return { ...(tokens as unknown as Tokens), key }
}
