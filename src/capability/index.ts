export type { AccessRecord, MerchantUse, Recorder } from './access-record.ts'
export { askWithin, meetDetails } from './authorization-details.ts'
export {
  type AuthorizationDetail,
  boundBy,
  type Charge,
  defineBoundType,
} from './bound.ts'
export {
  type AppCaller,
  appOf,
  type Caller,
  installationOf,
  type PersonCaller,
  personOf,
} from './caller.ts'
export {
  type BoundTypes,
  type Catalog,
  type CompiledOperation,
  makeBoundTypes,
  makeCatalog,
  privateScopesOf,
} from './catalog.ts'
export { compile, compileViolations } from './compile.ts'
export {
  type Access,
  type Capability,
  defineCapability,
  defineEventType,
  defineOperation,
  type EventType,
  type Localized,
  type NewEvent,
  type Operation,
  type Publish,
  type Scope,
  scopesOf,
} from './define.ts'
export { CapabilityErrors } from './errors.ts'
export { dataSchemaUrl, type ListedEventType, listEventTypes } from './event-list.ts'
export { type Answer, type Call, type Door, makeDoor, type RulesCheck } from './invoke.ts'
export {
  byId,
  cursorPageInput,
  idOf,
  type PageRequest,
  pageInput,
  pageRequestOf,
  parseTimeCursor,
  timeCursor,
  toPage,
} from './page.ts'
export { takesJsonBody } from './refusals.ts'
export { type JsonSchema, money, pageOf, type Schema, schema } from './schema.ts'
export { toAsyncApi } from './to-asyncapi.ts'
export { toDeclarations } from './to-declarations.ts'
export { toOpenApi } from './to-openapi.ts'
