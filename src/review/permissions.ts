import type { Manifest, ScopeRequest } from '../../runtime/package/index.ts'
import type { Catalog, Scope } from '../capability/index.ts'

/** A permission an app asks for, in words. */
export interface Permission {
  readonly scope: string
  /** False: the merchant may refuse it. */
  readonly required: boolean
  readonly title: Scope['title']
  /** What the consent page will say. */
  readonly consent: Scope['consent']
  readonly dataCategory: Scope['dataCategory'] | null
  readonly sensitivity: Scope['sensitivity'] | null
  /** What the developer says it is for, by locale. */
  readonly purpose: Readonly<Record<string, string>>
}

/** What the app of this manifest would be allowed, required permissions first. */
export function permissionsOf(manifest: Manifest, scopes: Catalog['scopes']): readonly Permission[] {
  const inWords =
    (required: boolean) =>
    ({ name, purpose }: ScopeRequest): Permission => {
      const scope = scopes.get(name)
      // A scope that the platform has given up since the upload has no words of its own any more.
      const words = { en: name, 'zh-CN': name }
      return {
        scope: name,
        required,
        title: scope?.title ?? words,
        consent: scope?.consent ?? words,
        dataCategory: scope?.dataCategory ?? null,
        sensitivity: scope?.sensitivity ?? null,
        purpose,
      }
    }
  const { required = [], optional = [] } = manifest.stoa_scopes ?? {}
  return [...required.map(inWords(true)), ...optional.map(inWords(false))]
}
