import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { describe } from 'vitest'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
)

/** A describe that needs a real browser; without one it is skipped and says so. */
export const inChromium =
  executablePath === undefined
    ? (name: string, work: () => void) =>
        describe.skip(`${name} (skipped: no Chromium here; apt-get install chromium)`, work)
    : (name: string, work: () => void) => describe(name, work)

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    // As root Chromium has no sandbox of its own; it opens our own pages only.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
}

/** What went wrong in a page without anybody seeing it: blocked by the policy, thrown, not found. */
export function watchProblems(context: BrowserContext): readonly string[] {
  const problems: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.page()?.url()}: ${message.text()}`)
  })
  context.on('weberror', (error) => problems.push(String(error.error())))
  return problems
}

/** A device with a fingerprint reader, unlocked at once. */
export interface VirtualAuthenticator {
  /** Whether the finger is the right one. */
  setUserVerified(isVerified: boolean): Promise<void>
  credentials(): Promise<number>
}

export async function addAuthenticator(page: Page): Promise<VirtualAuthenticator> {
  const client = await page.context().newCDPSession(page)
  await client.send('WebAuthn.enable')
  const { authenticatorId } = await client.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
      ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    },
  })
  return {
    async setUserVerified(isUserVerified) {
      await client.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
    },
    async credentials() {
      const { credentials } = await client.send('WebAuthn.getCredentials', { authenticatorId })
      return credentials.length
    },
  }
}
