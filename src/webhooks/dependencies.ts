import type { Db } from '../db/index.ts'
import type { Clock, HttpClient, Log, Random } from '../kernel/index.ts'
import type { EndpointStore } from './state/endpoint-store.ts'

export interface WebhooksDependencies {
  /** 32 bytes that seal signing secrets: the platform’s secret key, derived for this purpose. */
  readonly secretKey: Uint8Array
  /** Whether addresses of this machine may be endpoints, by http too. */
  readonly allowLoopback: boolean
  /** Origin, without a trailing slash: `source` of what is sent. */
  readonly publicUrl: string
  /** The guarded way out. */
  readonly httpClient: HttpClient
}

export interface WebhookSinkDependencies extends Pick<WebhooksDependencies, 'secretKey' | 'httpClient'> {
  readonly endpoints: EndpointStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The same for what is sent beside live traffic. */
export interface SendingDependencies extends WebhookSinkDependencies {
  readonly db: Db
}
