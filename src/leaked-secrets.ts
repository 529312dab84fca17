import type { Capability } from './capability/index.ts'
import { endLeakedInvitation, endLeakedSession, endLeakedToken } from './identity/index.ts'
import { type IdSource, type Log, safeEqual, type Transaction } from './kernel/index.ts'
import { notifyMerchant, notifyPerson, notifyPublisher } from './notices/index.ts'
import {
  type AuthorizationServer,
  type Leak,
  type LeaksDependencies,
  leaksCapability,
} from './oauth/index.ts'

interface Secrets {
  readonly config: { readonly hostKey: string }
  readonly authorizationServer: Pick<AuthorizationServer, 'endLeaked'>
  readonly log: Log
}

const ofNoApp = { appId: null, publisherId: null, merchantId: null } as const

/** How each kind of secret ends that somebody found in the open. */
function endLeakedOf({ config, authorizationServer, log }: Secrets): LeaksDependencies['endLeaked'] {
  return {
    ...authorizationServer.endLeaked,
    async personalToken(tx, value, nowMs) {
      const ended = await endLeakedToken(tx, value, nowMs)
      if (ended === null) return null
      return { what: 'personal_token', ...ended, ...ofNoApp }
    },
    async session(tx, value, nowMs) {
      const personId = await endLeakedSession(tx, value, nowMs)
      return personId === null ? null : { what: 'session', name: '', personId, ...ofNoApp }
    },
    async invitation(tx, value, nowMs) {
      const ended = await endLeakedInvitation(tx, value, nowMs)
      if (ended === null) return null
      return { what: 'invitation', name: ended.email, personId: ended.createdBy, ...ofNoApp }
    },
    hostKey(_tx, value) {
      // Only its operators can change it.
      if (safeEqual(value, config.hostKey)) log.error({}, 'host_key.leaked')
      return Promise.resolve(null)
    },
  }
}

const leakNotices = {
  client_secret: 'secret.leaked',
  access_token: 'token.leaked',
  refresh_token: 'token.leaked',
  personal_token: 'personal_token.leaked',
  session: 'session.leaked',
  invitation: 'invitation.leaked',
} as const

async function tellOfLeak(tx: Transaction, leak: Leak, hint: string, ids: IdSource): Promise<void> {
  const { what, name, appId, publisherId, merchantId, personId } = leak
  const notice = { kind: leakNotices[what], data: { what, name, appId, hint } }
  if (publisherId !== null) await notifyPublisher(tx, publisherId, notice, ids)
  if (merchantId !== null) await notifyMerchant(tx, merchantId, notice, ids)
  if (personId !== null) await notifyPerson(tx, personId, notice, ids)
}

/** What `POST /oauth/leaked` does, put together from the parts that issued what may leak. */
export function leaksCapabilityOf(secrets: Secrets): Capability {
  return leaksCapability({ endLeaked: endLeakedOf(secrets), tell: tellOfLeak, log: secrets.log })
}
