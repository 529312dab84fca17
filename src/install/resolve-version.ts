import type { ConsentManifest } from './consent-manifest.ts'

interface Candidate {
  readonly manifest: ConsentManifest
}

/**
 * Which release an installation runs: the newest whose required scopes its grant covers. A release that asks for
 * more waits until the merchant agrees; the older one keeps running. `released`: newest first.
 */
export function resolveVersion<V extends Candidate>(
  released: readonly V[],
  granted: ReadonlySet<string>,
): V | null {
  const covered = released.find(({ manifest }) =>
    (manifest.stoa_scopes?.required ?? []).every(({ name }) => granted.has(name)),
  )
  return covered ?? null
}
