import type { AuthorizationDetail } from '../capability/index.ts'
import { currentClientAddress, type Queries, type Transaction } from '../kernel/index.ts'
import { OAuthErrors } from '../oauth/index.ts'
import type { Accepted } from './accept-consent.ts'
import { InstallErrors } from './errors.ts'

interface Request {
  readonly appId: string
  readonly accessType: 'offline' | 'online'
  readonly details: readonly AuthorizationDetail[]
}

interface Agreement extends Accepted {
  readonly personId: string
  readonly credentialId: string | null
  readonly merchantId: string
}

/** What installing needs of the authorization server. */
export interface Authorization {
  findConsentRequest(q: Queries, which: { readonly uid: string; readonly personId: string }): Promise<Request>
  findDeviceRequest(
    typist: { readonly personId: string; readonly address: string },
    userCode: string,
  ): Promise<Request>
  findWaitingRequest(tx: Transaction, userCode: string): Promise<Request>
  completeAuthorization(tx: Transaction, agreement: Agreement & { readonly uid: string }): Promise<string>
  completeDevice(tx: Transaction, agreement: Agreement & { readonly userCode: string }): Promise<void>
  revokeInstallation(tx: Transaction, merchantId: string, installationId: string): Promise<void>
}

/** Which request of an app a consent answers: one of /oauth/authorize, one of a device, or none (the market). */
export interface RequestRef {
  readonly interactionUid?: string | undefined
  readonly userCode?: string | undefined
}

/** What an app asks for when nobody asks on its behalf: all of its manifest, for the installation. */
const nothingNarrower = { accessType: 'offline', details: [] } as const

function checkRef({ interactionUid, userCode }: RequestRef): void {
  if (interactionUid !== undefined && userCode !== undefined) throw InstallErrors.two_requests()
}

function ofApp(request: Request, appId: string, missing: () => Error): Request {
  if (request.appId !== appId) throw missing()
  return request
}

/** A typed code is looked up by its person; wrong ones are counted. */
export function lookUpDevice(
  authorization: Authorization,
  personId: string,
  userCode: string,
): Promise<Request> {
  return authorization.findDeviceRequest({ personId, address: currentClientAddress() ?? '' }, userCode)
}

/** What the consent page is about to show. */
export async function readRequest(
  authorization: Authorization,
  q: Queries,
  { personId, appId, ...ref }: RequestRef & { readonly personId: string; readonly appId: string },
): Promise<Omit<Request, 'appId'>> {
  checkRef(ref)
  const { interactionUid: uid, userCode } = ref
  if (uid !== undefined)
    return ofApp(
      await authorization.findConsentRequest(q, { uid, personId }),
      appId,
      OAuthErrors.interaction_not_found,
    )
  if (userCode !== undefined)
    return ofApp(
      await lookUpDevice(authorization, personId, userCode),
      appId,
      OAuthErrors.user_code_not_found,
    )
  return nothingNarrower
}

/** The same in the transaction that answers it. */
export async function readRequestIn(
  authorization: Authorization,
  tx: Transaction,
  { personId, appId, ...ref }: RequestRef & { readonly personId: string; readonly appId: string },
): Promise<Omit<Request, 'appId'>> {
  checkRef(ref)
  const { interactionUid: uid, userCode } = ref
  if (uid !== undefined)
    return ofApp(
      await authorization.findConsentRequest(tx, { uid, personId }),
      appId,
      OAuthErrors.interaction_not_found,
    )
  if (userCode !== undefined)
    return ofApp(await authorization.findWaitingRequest(tx, userCode), appId, OAuthErrors.user_code_not_found)
  return nothingNarrower
}

/** Tells the app: gives the address to which the browser goes on, or null where no browser waits. */
export async function answerRequest(
  authorization: Authorization,
  tx: Transaction,
  { interactionUid: uid, userCode, ...agreement }: RequestRef & Agreement,
): Promise<string | null> {
  if (uid !== undefined) return authorization.completeAuthorization(tx, { uid, ...agreement })
  if (userCode !== undefined) await authorization.completeDevice(tx, { userCode, ...agreement })
  return null
}
