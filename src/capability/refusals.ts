import { type ErrorFactory, KernelErrors } from '../kernel/index.ts'
import type { Access, Operation } from './define.ts'
import { CapabilityErrors } from './errors.ts'

const anyRequest: readonly ErrorFactory[] = [
  CapabilityErrors.invalid_input,
  // A credential that is sent must be good, also where none is needed.
  CapabilityErrors.unauthenticated,
  CapabilityErrors.body_too_large,
  CapabilityErrors.unsupported_media_type,
  KernelErrors.unexpected,
  CapabilityErrors.invalid_output,
  KernelErrors.unavailable,
]

const byAccess: Readonly<Record<Access['kind'], readonly ErrorFactory[]>> = {
  public: [],
  host: [CapabilityErrors.wrong_credential],
  person: [CapabilityErrors.wrong_credential],
  app: [CapabilityErrors.wrong_credential],
  installation: [CapabilityErrors.wrong_credential, CapabilityErrors.installation_required],
  scope: [
    CapabilityErrors.wrong_credential,
    CapabilityErrors.installation_required,
    CapabilityErrors.permission_not_granted,
  ],
  publisher: [CapabilityErrors.wrong_credential, CapabilityErrors.role_required],
  merchant: [CapabilityErrors.wrong_credential, CapabilityErrors.role_required],
  staff: [CapabilityErrors.wrong_credential, CapabilityErrors.role_required],
}

const tenantMembers: Readonly<Record<string, string>> = { publisher: 'publisherId', merchant: 'merchantId' }

/** The input member that names the tenant, when the operation has one: it must be one of the caller's. */
export function tenantMemberOf({ access, input }: Operation): string | undefined {
  const member = tenantMembers[access.kind]
  return member !== undefined && Object.hasOwn((input.json['properties'] ?? {}) as object, member)
    ? member
    : undefined
}

/** Whether its input travels as JSON in the body. */
export function takesJsonBody({ method, binaryInput }: Operation): boolean {
  return method !== 'GET' && method !== 'DELETE' && binaryInput === undefined
}

/** What the door itself may refuse this operation with, besides what the operation declares. */
export function doorErrorsOf(operation: Operation): readonly ErrorFactory[] {
  return [
    ...anyRequest,
    ...byAccess[operation.access.kind],
    ...(takesJsonBody(operation) ? [CapabilityErrors.malformed_body] : []),
    ...(tenantMemberOf(operation) === undefined ? [] : [CapabilityErrors.not_found]),
    ...(operation.kind === 'write' ? [CapabilityErrors.idempotency_key_reused] : []),
    ...(operation.bounds === undefined ? [] : [CapabilityErrors.outside_bounds]),
    ...(operation.bounds === undefined || operation.kind === 'read' ? [] : [CapabilityErrors.bound_exceeded]),
  ]
}
