import * as oauth from 'oauth4webapi'
import { expect } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPerson, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp } from '../../support/story.ts'
import type { PageAnswer, TestBrowser } from '../../support/test-browser.ts'

const http = { [oauth.allowInsecureRequests]: true } as const
export const cli: oauth.Client = { client_id: 'stoa-cli' }
export const deviceManifest = {
  ...{ name: 'Till', required: ['order:read'], optional: ['order:write'], device: true },
}

export interface Device {
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
  readonly code: oauth.DeviceAuthorizationResponse
}

/** A platform with an app that asks for tokens on devices, and what devices and people do there. */
export interface DeviceWorld {
  readonly at: TestPlatform
  readonly story: Story
  readonly app: TestApp
  readonly as: oauth.AuthorizationServer
  beginApp(parameters?: Record<string, string>): Promise<Device>
  beginCli(parameters?: Record<string, string>): Promise<Device>
  poll(device: Device): Promise<Response>
  /** As a device does: waits its interval, then asks. */
  patientPoll(device: Device): Promise<Response>
  /** A person at /oauth/device with the code of the device in hand. */
  typeCode(
    person: TestPerson,
    userCode: string,
    language?: string,
  ): Promise<{ readonly browser: TestBrowser; readonly page: PageAnswer }>
}

/** The error of an answer that must be a 400. */
export async function errorOf(response: Response): Promise<string> {
  expect(response.status).toBe(400)
  return ((await response.json()) as { error: string }).error
}

export async function openDeviceWorld(): Promise<DeviceWorld> {
  const at = await startTestPlatform()
  const story = makeStory(at)
  const app = await story.publish(await story.publisher(), { name: 'Till', manifest: deviceManifest })
  const issuer = new URL(at.baseUrl)
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http })
  const as = await oauth.processDiscoveryResponse(issuer, discovered)

  async function begin(client: oauth.Client, auth: oauth.ClientAuth, parameters: Record<string, string>) {
    const headers = { 'user-agent': 'till/3.1 (counter 2)' }
    const asked = new URLSearchParams(parameters)
    const response = await oauth.deviceAuthorizationRequest(as, client, auth, asked, { ...http, headers })
    return { client, auth, code: await oauth.processDeviceAuthorizationResponse(as, client, response) }
  }
  const poll: DeviceWorld['poll'] = ({ client, auth, code }) =>
    oauth.deviceCodeGrantRequest(as, client, auth, code.device_code, http)
  return {
    ...{ at, story, app, as, poll },
    beginApp: (parameters = {}) =>
      begin({ client_id: app.appId }, oauth.ClientSecretBasic(app.clientSecret), parameters),
    beginCli: (parameters = {}) => begin(cli, oauth.None(), parameters),
    patientPoll(device) {
      at.clock.advance(limits.devicePollIntervalMs)
      return poll(device)
    },
    async typeCode(person, userCode, language = 'en') {
      const browser = at.browser(person, language)
      const form = await browser.open(`/oauth/device?lang=${language}`)
      return { browser, page: await browser.submit(form, { user_code: userCode, step: 'code' }) }
    },
  }
}
