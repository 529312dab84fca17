import type { Catalog } from '../capability/index.ts'

/** What platform.ts gives to the registry. */
export interface RegistryDependencies {
  /** Read when asked: the registry's own operations are part of the catalogue. */
  readonly catalog: () => Pick<Catalog, 'scopes' | 'eventTypes' | 'boundTypes'>
  /** The one way in which client secrets are hashed; the authorization server compares by the same. */
  readonly hashClientSecret: (secret: string) => string
}
