import { randomBytes } from 'node:crypto'
import { type Api, makeApi } from './api.ts'

/** Somebody with an account and a personal token. */
export interface DemoPerson {
  readonly personId: string
  readonly email: string
  readonly password: string
  readonly token: string
  readonly api: Api
}

function newPassword(): string {
  return randomBytes(15).toString('base64url')
}

async function signIn(
  baseUrl: string,
  person: { readonly personId: string; readonly email: string; readonly password: string },
  audiences: readonly string[],
): Promise<DemoPerson> {
  const { email, password } = person
  const nobody = makeApi(baseUrl, null)
  const { token } = await nobody.call<{ token: string }>('POST', '/account/v1/tokens', {
    email,
    password,
    name: 'demo',
    audiences,
  })
  return { ...person, token, api: makeApi(baseUrl, token) }
}

/** A developer makes their own account. */
export async function registerDeveloper(baseUrl: string, email: string): Promise<DemoPerson> {
  const password = newPassword()
  const nobody = makeApi(baseUrl, null)
  const { id } = await nobody.call<{ id: string }>('POST', '/account/v1/people', {
    email,
    password,
    displayName: 'Dana',
  })
  return signIn(baseUrl, { personId: id, email, password }, ['developer', 'account'])
}

export interface Invitation {
  readonly host: Api
  /** Where the host invites: a merchant's members or the staff. */
  readonly path: string
  readonly role: string
  readonly email: string
  readonly audiences: readonly string[]
}

/** The host invites by email; the person opens the link's token and chooses a password. */
export async function invitePerson(baseUrl: string, invitation: Invitation): Promise<DemoPerson> {
  const { host, path, role, email, audiences } = invitation
  const made = await host.call<{ invitation: { token: string } }>('POST', path, { email, role })
  const password = newPassword()
  const nobody = makeApi(baseUrl, null)
  const { personId } = await nobody.call<{ personId: string }>('POST', '/account/v1/invitations/accept', {
    token: made.invitation.token,
    password,
    displayName: email.split('@')[0],
  })
  return signIn(baseUrl, { personId, email, password }, audiences)
}
