import { toPointer } from './pointer.ts'

/** A value with the place in the manifest that it came from. */
interface Located<Value> {
  readonly pointer: string
  readonly value: Value
}

/**
 * What can be made out of an unchecked manifest. Members of a wrong type are left out here, because the schema check
 * names them; so the other checks can run too and one answer holds all problems.
 */
export interface ManifestDraft {
  /** The whole manifest as it was parsed. */
  readonly value: unknown
  readonly versionCode: Located<number> | null
  readonly pages: readonly Located<string>[]
  readonly iconSources: readonly Located<string>[]
  /** Names of all scopes, required ones first. */
  readonly scopes: readonly Located<string>[]
  readonly events: readonly DraftEvent[]
  /** Authorization details whose type is a string. */
  readonly details: readonly (Located<object> & { readonly type: string })[]
  /** Whether the member is there at all, whatever its type. */
  readonly hasHandlers: boolean
  readonly handlers: Located<string> | null
  readonly redirectUris: readonly Located<string>[]
  readonly egressHosts: readonly Located<string>[]
}

export interface DraftEvent {
  /** Place of the whole entry. */
  readonly pointer: string
  readonly type: string
  readonly version: number | null
}

type Keys = readonly (string | number)[]

/** Takes a parsed manifest apart; never throws, whatever it is. */
export function draftManifest(value: unknown): ManifestDraft {
  const handlers = memberAt(value, ['stoa_handlers'])
  return {
    value,
    versionCode: located(value, ['version', 'code'], isNumber),
    pages: listAt(value, ['pages']).flatMap((keys) => toList(located(value, keys, isString))),
    iconSources: listAt(value, ['icons']).flatMap((keys) =>
      toList(located(value, [...keys, 'src'], isString)),
    ),
    scopes: ['required', 'optional'].flatMap((list) => {
      const entries = listAt(value, ['stoa_scopes', list])
      return entries.flatMap((keys) => toList(located(value, [...keys, 'name'], isString)))
    }),
    events: listAt(value, ['stoa_events']).flatMap((keys) => toList(draftEvent(value, keys))),
    details: listAt(value, ['stoa_authorization_details']).flatMap((keys) =>
      toList(draftDetail(value, keys)),
    ),
    hasHandlers: handlers !== undefined,
    handlers: located(value, ['stoa_handlers'], isString),
    redirectUris: listAt(value, ['stoa_redirect_uris']).flatMap((keys) =>
      toList(located(value, keys, isString)),
    ),
    egressHosts: listAt(value, ['stoa_egress_hosts']).flatMap((keys) =>
      toList(located(value, keys, isString)),
    ),
  }
}

function draftEvent(root: unknown, keys: Keys): DraftEvent | null {
  const type = located(root, [...keys, 'type'], isString)
  const version = located(root, [...keys, 'version'], isNumber)
  return type === null
    ? null
    : { pointer: toPointer(keys), type: type.value, version: version?.value ?? null }
}

function draftDetail(root: unknown, keys: Keys): ManifestDraft['details'][number] | null {
  const type = memberAt(root, [...keys, 'type'])
  const value = memberAt(root, keys)
  return typeof type === 'string' && typeof value === 'object' && value !== null
    ? { pointer: toPointer(keys), value, type }
    : null
}

function located<Value>(
  root: unknown,
  keys: Keys,
  isRight: (value: unknown) => value is Value,
): Located<Value> | null {
  const value = memberAt(root, keys)
  return isRight(value) ? { pointer: toPointer(keys), value } : null
}

/** The keys of every item of the array at `keys`; none when there is no array. */
function listAt(root: unknown, keys: Keys): readonly Keys[] {
  const list = memberAt(root, keys)
  return Array.isArray(list) ? list.map((_item, index) => [...keys, index]) : []
}

/** The member at `keys`; undefined when there is none. */
function memberAt(root: unknown, keys: Keys): unknown {
  return keys.reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  }, root)
}

function toList<Value>(value: Value | null): readonly Value[] {
  return value === null ? [] : [value]
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
