import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { packFiles } from '../../runtime/node/index.ts'
import type { DemoPerson } from './people.ts'
import { type Story, until } from './steps.ts'

export interface AppToPublish {
  readonly name: string
  readonly class: 'backend' | 'mini-program' | 'both'
  /** What is packed. */
  readonly folder: string
  /** Members of the manifest that are only known now. */
  readonly change?: Readonly<Record<string, unknown>>
}

export interface PublishedApp {
  readonly appId: string
  readonly clientId: string
  readonly clientSecret: string
}

interface Publishers {
  readonly developer: DemoPerson
  readonly reviewer: DemoPerson
  readonly publisherId: string
}

async function readPackage({ folder, change }: AppToPublish): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = new Map<string, Uint8Array | string>()
  for (const entry of entries.filter((one) => one.isFile() && !one.name.endsWith('.md'))) {
    const file = path.join(entry.parentPath, entry.name)
    files.set(path.relative(folder, file), await readFile(file))
  }
  const manifest: unknown = JSON.parse(String(files.get('manifest.json')))
  files.set('manifest.json', JSON.stringify({ ...(manifest as object), ...change }))
  return packFiles(files)
}

interface Submission {
  readonly id: string
  readonly state: string
}

/** Register, upload, submit, automatic checks, approve, release: an app on its way to the market. */
export async function publishApp(
  { story }: { readonly story: Story },
  { developer, reviewer, publisherId }: Publishers,
  app: AppToPublish,
): Promise<PublishedApp> {
  const registered = await story.step(
    `the developer registers “${app.name}”`,
    () =>
      developer.api.call<{ id: string; clientId: string; clientSecret: string | null }>(
        'POST',
        '/developer/v1/apps',
        {
          publisherId,
          name: app.name,
          class: app.class,
        },
      ),
    ({ id }) => id,
  )
  const apps = `/developer/v1/apps/${registered.id}`
  const version = await story.step(
    '… uploads its package',
    async () =>
      developer.api.upload<{ id: string; packageSha256: string }>(`${apps}/versions`, await readPackage(app)),
    ({ id, packageSha256 }) => `${id} sha256 ${packageSha256.slice(0, 12)}…`,
  )
  const submissions = `${apps}/versions/${version.id}/submissions`
  const submission = await story.step(
    '… submits it; the automatic checks run',
    async () => {
      await developer.api.call('POST', submissions)
      return until('the end of the checks', 15_000, async () => {
        const { data } = await developer.api.call<{ data: readonly Submission[] }>('GET', submissions)
        return data.find(({ state }) => state === 'in_review') ?? null
      })
    },
    ({ id }) => id,
  )
  await story.step('the reviewer approves exactly these bytes', () =>
    reviewer.api.call('POST', `/review/v1/cases/${submission.id}/decisions`, {
      decision: 'approve',
      packageSha256: version.packageSha256,
    }),
  )
  await story.step(
    'the developer releases it',
    () => developer.api.call<{ id: string }>('POST', `${apps}/releases`, { versionId: version.id }),
    ({ id }) => id,
  )
  return { appId: registered.id, clientId: registered.clientId, clientSecret: registered.clientSecret ?? '' }
}
