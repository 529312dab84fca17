import type { Transaction } from '../kernel/index.ts'
import { listLiveCredentials } from './credential/store.ts'
import { RegistryErrors } from './errors.ts'
import { type AppSettings, unreviewedRedirectUris } from './settings.ts'
import { findReleasedVersions, lockOwnApp, putSettings } from './store.ts'

interface ChangeSettings {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly settings: AppSettings
  readonly nowMs: number
}

/**
 * Replaces the app's settings. They narrow the released manifest; the authorization server takes what both hold, so a
 * later release that drops an address closes it whatever the settings say.
 * @throws registry.app_not_found, registry.redirect_uri_not_reviewed, registry.key_missing
 */
export async function changeSettings(
  tx: Transaction,
  { publisherIds, appId, settings, nowMs }: ChangeSettings,
): Promise<void> {
  const app = await lockOwnApp(tx, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  const [released] = await findReleasedVersions(tx, app.id)
  const places = unreviewedRedirectUris(settings, released?.manifest ?? null)
  if (places.length > 0) {
    throw RegistryErrors.redirect_uri_not_reviewed(undefined, {
      errors: places.map((index) => ({
        pointer: `/redirectUris/${index}`,
        code: 'not_reviewed',
        message: 'is not in stoa_redirect_uris of the released manifest',
      })),
    })
  }
  if (settings.requirePrivateKeyJwt) {
    const live = await listLiveCredentials(tx, app.id, nowMs)
    if (!live.some(({ kind }) => kind === 'key')) throw RegistryErrors.key_missing()
  }
  await putSettings(tx, app.id, settings, nowMs)
}
