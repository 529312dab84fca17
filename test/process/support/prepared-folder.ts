import { cpSync } from 'node:fs'
import { type StoaProcess, startStoa, temporaryFolder } from './stoa.ts'
import { makeWorld, newKey, type World, worldSettings } from './world.ts'

/** A data folder with a world in it, made once and copied for every test that begins there. */
export interface PreparedFolder {
  readonly world: World
  copy(): string
}

/** A platform that answers. */
export interface Running {
  readonly stoa: StoaProcess
  readonly baseUrl: string
}

/** Starts Stoa on a folder of this world and waits for its address. */
export async function startOn(dataDir: string, world: World): Promise<Running> {
  const stoa = startStoa(dataDir, worldSettings(world.hostKey))
  return { stoa, baseUrl: await stoa.listening() }
}

/** Starts an embedded platform, makes the world by HTTP and ends it in order. */
export async function prepareFolder(): Promise<PreparedFolder> {
  const original = temporaryFolder()
  const hostKey = newKey()
  const stoa = startStoa(original, worldSettings(hostKey))
  const world = await makeWorld(await stoa.listening(), hostKey)
  stoa.signal('SIGTERM')
  const { code } = await stoa.ended()
  if (code !== 0) throw new Error(`the world’s platform ended with ${code}: ${stoa.stderr.join('\n')}`)
  return {
    world,
    copy() {
      const folder = temporaryFolder()
      cpSync(original, folder, { recursive: true })
      return folder
    },
  }
}
