import path from 'node:path'
import { type Started, startProgram } from './processes.ts'

export interface BackendOptions {
  readonly root: string
  readonly port: number
  readonly baseUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly webhookSecret: string
}

/** Starts examples/order-printer as the separate process it is in real life. */
export async function startBackend(options: BackendOptions): Promise<Started> {
  const started = startProgram(path.join(options.root, 'examples/order-printer/main.ts'), {
    HOST: '127.0.0.1',
    PORT: String(options.port),
    STOA_URL: options.baseUrl,
    CLIENT_ID: options.clientId,
    CLIENT_SECRET: options.clientSecret,
    WEBHOOK_SECRET: options.webhookSecret,
  })
  await started.line(/listening on/, 15_000)
  return started
}
