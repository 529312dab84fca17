import type { Audience } from '../../../src/capability/define.ts'
import { sql } from '../../../src/db/index.ts'
import { newId } from '../../../src/kernel/index.ts'
import { notifyPublisher } from '../../../src/notices/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import type { TestPlatform } from '../../support/platform.ts'
import { host, makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'

/** A publisher with an app at a merchant, and one of everything that has an id. */
export interface Tenant {
  readonly app: TestApp
  readonly merchant: TestMerchant
  readonly accessToken: string
  readonly clients: Readonly<Record<Audience, ApiClient>>
  /** Ids by the name of the path member. */
  readonly ids: Readonly<Record<string, string>>
}

interface Made {
  readonly id: string
}

interface Listed {
  readonly data: readonly Made[]
}

const order = { lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 100, currency: 'CNY' } }] }

async function tellOf(at: TestPlatform, { appId, publisher }: TestApp): Promise<void> {
  const data = {
    appId,
    appName: 'Printer',
    endpointId: 'end_1',
    host: 'hooks.example.com',
    reason: 'failing',
  }
  await at.db.tx((tx) => notifyPublisher(tx, publisher.publisherId, { kind: 'endpoint.paused', data }, at))
}

/** A passkey and a sign-in by another provider. */
async function addSignIns({ db, clock, random }: TestPlatform, personId: string) {
  const ids = [newId('signIn', { clock, random }), newId('signIn', { clock, random })] as const
  for (const [index, kind] of ['passkey', 'oidc'].entries())
    await sql(
      db.queries,
      `insert into sign_in (id, person_id, kind, identifier, name, counter, created_at)
       values ($1, $2, $3, $4, 'a key', 0, now())`,
      ids[index] ?? '',
      personId,
      kind,
      `${kind} of ${personId}`,
    )
  return ids
}

async function idsOf(at: TestPlatform, story: Story, app: TestApp, merchant: TestMerchant) {
  const { api, personId } = app.publisher.owner
  const { merchantId } = merchant
  const appPath = `/developer/v1/apps/${app.appId}`
  const endpoint = await api.call<Made>('POST', `${appPath}/endpoints`, { url: 'http://127.0.0.1:9/hook' })
  const credentials = await api.call<Listed>('GET', `${appPath}/credentials`)
  const tokens = await api.call<Listed>('GET', '/account/v1/tokens')
  const sessions = await api.call<Listed>('GET', '/account/v1/sessions')
  const invitation = await api.call<Made>(
    'POST',
    `/developer/v1/publishers/${app.publisher.publisherId}/invitations`,
    { email: 'someone@example.com', role: 'viewer' },
  )
  const access = await story.connect(merchant, app)
  const created = await at.act<Made>('order.create', host, { merchantId, ...order })
  await at.act('order.pay', host, { merchantId, orderId: created.id })
  await at.platform.events.relayNow()
  const deliveries = await api.call<Listed>('GET', `${appPath}/deliveries`)
  const { replay } = await api.call<{ replay: Made }>('POST', `${appPath}/replays`, {})
  await at.bearer(access.access_token).call('PUT', `/v1/storage/key-of-${app.appId}`, { value: 1 })
  await tellOf(at, app)
  const notices = await api.call<Listed>('GET', '/developer/v1/notices')
  const submissions = await api.call<Listed>('GET', `${appPath}/versions/${app.versionId}/submissions`)
  const authorizations = await api.call<Listed>('GET', `${appPath}/authorizations`)
  const [passkeyId, signInId] = await addSignIns(at, personId)
  const ids = {
    ...{ authorizationId: authorizations.data[0]?.id ?? '', passkeyId, signInId },
    ...{ publisherId: app.publisher.publisherId, personId, appId: app.appId, versionId: app.versionId },
    ...{ merchantId, installationId: access.installation_id, orderId: created.id },
    key: `key-of-${app.appId}`,
    endpointId: endpoint.id,
    invitationId: invitation.id,
    credentialId: credentials.data[0]?.id ?? '',
    tokenId: tokens.data[0]?.id ?? '',
    sessionId: sessions.data[0]?.id ?? '',
    deliveryId: deliveries.data[0]?.id ?? '',
    replayId: replay.id,
    noticeId: notices.data[0]?.id ?? '',
    caseId: submissions.data[0]?.id ?? '',
    ...{ type: 'order.paid', version: '1', role: 'reviewer' },
  }
  return { ids, accessToken: access.access_token }
}

export async function makeTenant(at: TestPlatform): Promise<Tenant> {
  const story = makeStory(at)
  const [publisher, merchant, reviewer] = [
    await story.publisher(),
    await story.merchant(),
    await story.staff('reviewer'),
  ]
  const app = await story.publish(publisher, {
    // A public app may be seen by every merchant.
    visibility: 'private',
    privateMerchantId: merchant.merchantId,
    manifest: { required: ['order:read', 'order:refund', 'order:write'], events: ['order.paid'] },
  })
  const { ids, accessToken } = await idsOf(at, story, app, merchant)
  const clients = {
    app: at.bearer(accessToken),
    developer: publisher.owner.api,
    account: publisher.owner.api,
    merchant: merchant.owner.api,
    reviewer: reviewer.api,
    host: at.host,
    public: at.anonymous,
  }
  return { app, merchant, accessToken, clients, ids }
}

/** An id of the same kind that nothing has. */
export function missing(id: string): string {
  return id
    .replace(/^([a-z]{3})_.{26}$/, '$1_00000000000000000000000000')
    .replace(/^key-of-.*/, 'no-such-key')
}

/** The path of an operation with these values for its members. */
export function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`tenants.ts has no ${name} for ${path}`)
    return encodeURIComponent(value)
  })
}
