import type { ApiClient } from './api-client.ts'
import { startTestPlatform, type TestPlatform } from './platform.ts'

/** Small enough to be used up by a test, large enough for what a test does before. */
export const quotaFactor = 0.05

/** What is left of each quota. */
export const quotaMax = {
  installation: 60,
  app: 300,
  client: 150,
  person: 30,
  address: 30,
  refused: 30,
} as const

/** A platform behind a proxy on this machine, so that requests may come from anywhere. */
export function startMeteredPlatform(trustProxy: readonly string[] = ['loopback']): Promise<TestPlatform> {
  return startTestPlatform({ config: { quotaFactor, trustProxy } })
}

let lastNetwork = 0

/** An address that no test has used. */
export function freshAddress(): string {
  lastNetwork += 1
  return `203.0.113.${lastNetwork}`
}

export function from(address: string): { readonly 'x-forwarded-for': string } {
  return { 'x-forwarded-for': address }
}

export type Statuses = Readonly<Record<number, number>>

/** Sends the same request many times, one after the other; gives how often each status came. */
export async function repeat(
  times: number,
  send: () => Promise<{ readonly status: number }>,
): Promise<Statuses> {
  const statuses: Record<number, number> = {}
  for (let sent = 0; sent < times; sent += 1) {
    const { status } = await send()
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

export const get =
  (api: ApiClient, path: string): (() => Promise<{ readonly status: number }>) =>
  () =>
    api.request('GET', path)
