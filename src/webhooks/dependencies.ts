import type { Db } from '../db/index.ts'
import type { Clock, HttpClient, Log } from '../kernel/index.ts'

export interface WebhooksDependencies {
  /** 32 bytes that seal signing secrets: the platform’s secret key, derived for this purpose. */
  readonly secretKey: Uint8Array
  /** Whether addresses of this machine may be endpoints, by http too. */
  readonly allowLoopback: boolean
}

export interface WebhookSinkDependencies extends Pick<WebhooksDependencies, 'secretKey'> {
  readonly db: Db
  /** The guarded way out. */
  readonly httpClient: HttpClient
  readonly clock: Clock
  readonly log: Log
}
