import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Interaction as LibraryInteraction, Provider } from 'oidc-provider'
import { OAuthErrors } from '../errors.ts'
import { type AccessType, accessTypeOf } from '../grant/access-type.ts'
import { errors } from '../library.ts'

/** What the authorization server waits for, when a page is one step of /oauth/authorize. */
export interface Interaction {
  readonly uid: string
  readonly prompt: 'login' | 'consent'
  readonly appId: string
  /** Scopes the app asks for in this request. */
  readonly scopes: readonly string[]
  /** offline: the app acts as the installation; online: as the person who is there. */
  readonly accessType: AccessType
  /** Origin of the redirect URI: the one place besides ourselves to which this page's form may lead. */
  readonly redirectOrigin: string
}

/** Express keeps the unshortened address of a mounted request there. */
export type BrowserRequest = IncomingMessage & { readonly originalUrl?: string }

export function requestedScopes({ params }: LibraryInteraction): readonly string[] {
  const scope = params['scope']
  return typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []
}

// The cookie is bound to the page's path, which ends with the uid; a cookie that came by another way does not count.
function standsInPath(request: BrowserRequest, uid: string): boolean {
  const [path = ''] = (request.originalUrl ?? request.url ?? '').split('?')
  return path.split('/').includes(uid)
}

async function load(
  provider: Provider,
  request: BrowserRequest,
  response: ServerResponse,
): Promise<LibraryInteraction | null> {
  try {
    const interaction = await provider.interactionDetails(request, response)
    return standsInPath(request, interaction.uid) ? interaction : null
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return null
    throw error
  }
}

/** The step this browser is in, by its cookie; null when there is none or it has expired. */
export async function findInteraction(
  provider: Provider,
  request: BrowserRequest,
  response: ServerResponse,
): Promise<Interaction | null> {
  const interaction = await load(provider, request, response)
  const name = interaction?.prompt.name
  if (interaction === null || (name !== 'login' && name !== 'consent')) return null
  return {
    uid: interaction.uid,
    prompt: name,
    appId: String(interaction.params['client_id']),
    scopes: requestedScopes(interaction),
    accessType: accessTypeOf(interaction.params),
    redirectOrigin: new URL(String(interaction.params['redirect_uri'])).origin,
  }
}

/**
 * Tells the library who signed in. A session of an earlier authorization by another person in this browser ends here:
 * two people must never mix in one. Gives the address at which the authorization goes on.
 * @throws oauth.interaction_not_found
 */
export async function resumeSignIn(
  provider: Provider,
  request: BrowserRequest,
  response: ServerResponse,
  { uid, personId }: { readonly uid: string; readonly personId: string },
): Promise<string> {
  const interaction = await load(provider, request, response)
  if (interaction === null || interaction.uid !== uid || interaction.prompt.name !== 'login')
    throw OAuthErrors.interaction_not_found()
  const session = await provider.Session.get(provider.createContext(request, response))
  if (session.accountId !== undefined && session.accountId !== personId) {
    await session.destroy()
    delete interaction.session
  }
  interaction.result = { ...interaction.lastSubmission, login: { accountId: personId, remember: false } }
  await interaction.persist()
  return interaction.returnTo
}

/**
 * The person said no. Gives the address that leads back to the app.
 * @throws oauth.interaction_not_found
 */
export async function denyConsent(
  provider: Provider,
  request: BrowserRequest,
  response: ServerResponse,
): Promise<string> {
  const interaction = await load(provider, request, response)
  if (interaction === null) throw OAuthErrors.interaction_not_found()
  // RFC 6749 §4.1.2.1: "access_denied: The resource owner or authorization server denied the request."
  interaction.result = { error: 'access_denied', error_description: 'the merchant did not agree' }
  await interaction.persist()
  return interaction.returnTo
}
