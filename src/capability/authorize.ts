import { unreachable } from '../kernel/index.ts'
import type { AppCaller, Caller, PersonCaller } from './caller.ts'
import { type Operation, scopesOf } from './define.ts'
import { CapabilityErrors } from './errors.ts'

function appOnly(caller: Caller): AppCaller {
  if (caller.kind === 'app') return caller
  throw caller.kind === 'anonymous' ? CapabilityErrors.unauthenticated() : CapabilityErrors.wrong_credential()
}

function installationOnly(caller: Caller): AppCaller {
  const app = appOnly(caller)
  if (app.installation === null) throw CapabilityErrors.installation_required()
  return app
}

function personFor(operation: Operation, caller: Caller): PersonCaller {
  if (caller.kind === 'anonymous') throw CapabilityErrors.unauthenticated()
  if (caller.kind !== 'person' || !caller.audiences.has(operation.audience))
    throw CapabilityErrors.wrong_credential()
  return caller
}

function tenantsWith(roleByTenant: ReadonlyMap<string, string>, roles: readonly string[]): readonly string[] {
  const tenantIds = [...roleByTenant].filter(([, role]) => roles.includes(role)).map(([tenantId]) => tenantId)
  if (tenantIds.length === 0)
    throw CapabilityErrors.role_required(`this needs one of the roles: ${roles.join(', ')}`)
  return tenantIds
}

function checkScopes(app: AppCaller, scopes: readonly string[]): void {
  const missing = scopes.filter((scope) => !app.scopes.has(scope))
  if (missing.length === 0) return
  // All of them at once: the app asks its merchant once.
  throw CapabilityErrors.permission_not_granted(`the grant does not hold ${missing.join(' ')}`, {
    members: { missingScopes: missing },
  })
}

/**
 * Whether this caller may use this operation at all. Gives the publishers or merchants in which a person's role
 * allows it (for an installation: its merchant), which every query of the operation asks for first.
 */
export function authorize(operation: Operation, caller: Caller): readonly string[] {
  const { access } = operation
  switch (access.kind) {
    case 'public':
      return []
    case 'host':
      if (caller.kind === 'anonymous') throw CapabilityErrors.unauthenticated()
      if (caller.kind !== 'host') throw CapabilityErrors.wrong_credential()
      return []
    case 'app':
      appOnly(caller)
      return []
    case 'installation':
      return [installationOnly(caller).installation?.merchantId ?? '']
    case 'scope': {
      const app = installationOnly(caller)
      checkScopes(app, scopesOf(access))
      return [app.installation?.merchantId ?? '']
    }
    case 'person':
      personFor(operation, caller)
      return []
    case 'publisher':
      return tenantsWith(personFor(operation, caller).publishers, access.roles)
    case 'merchant':
      return tenantsWith(personFor(operation, caller).merchants, access.roles)
    case 'staff': {
      const { platformRoles } = personFor(operation, caller)
      if (access.roles.some((role) => platformRoles.has(role))) return []
      throw CapabilityErrors.role_required(`this needs one of the roles: ${access.roles.join(', ')}`)
    }
    default:
      return unreachable(access)
  }
}
