import { WebhookVerificationError } from './webhook-error.ts'
import { decodeBase64, type ImportedKey, importKeys, type WebhookKey } from './webhook-key.ts'

/** The headers of a request: those of the Fetch API, or an object of them as Node has it. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

export interface WebhookRequest {
  readonly headers: WebhookHeaders
  /** The body exactly as it came: text or bytes, not what a JSON parser made of it. */
  readonly body: string | Uint8Array
}

export interface VerifyOptions {
  /** One key, or all that may sign right now: during a rotation the old one and the new one. */
  readonly keys: WebhookKey | readonly WebhookKey[]
  /** The present time: `Date.now()`. */
  readonly nowMs: number
  /** How far the sender's clock may be from this one; five minutes when not given. */
  readonly toleranceMs?: number
}

/** The event in the body: a CloudEvent, its data as the event type's schema says. */
export interface WebhookEvent<T = unknown> {
  readonly id: string
  readonly type: string
  readonly source: string
  readonly time: string
  readonly subject?: string
  readonly data?: T
  readonly [attribute: string]: unknown
}

/** A request that its sender has signed. */
export interface VerifiedWebhook<T = unknown> {
  /** The same over all attempts: what to remember in order to handle an event once. */
  readonly id: string
  readonly sentAtMs: number
  /** Without gaps in the stream: a number left out is an event that can be pulled. Null: it has none. */
  readonly sequence: number | null
  /** Counts from 1. */
  readonly attempt: number | null
  /** The replay that sends it again; null: live traffic. */
  readonly replayId: string | null
  /** The body only names what happened and where to read it. */
  readonly thin: boolean
  readonly event: WebhookEvent<T>
}

const defaultToleranceMs = 5 * 60 * 1000
// A list longer than this is an attack on the processor: two live secrets give two signatures.
const signaturesMax = 32

function readHeader(headers: WebhookHeaders, name: string): string | null {
  if (typeof headers['get'] === 'function') return (headers as { get(name: string): string | null }).get(name)
  const plain = headers as Readonly<Record<string, string | readonly string[] | undefined>>
  const found = Object.keys(plain).find((key) => key.toLowerCase() === name)
  const value = found === undefined ? undefined : plain[found]
  return typeof value === 'string' ? value : (value?.join(' ') ?? null)
}

function requireHeader(headers: WebhookHeaders, name: string): string {
  const value = readHeader(headers, name)
  if (value !== null && value !== '') return value
  throw new WebhookVerificationError('missing_header', `the header ${name} is missing`)
}

// Standard Webhooks: "webhook-timestamp: integer unix timestamp (seconds since epoch)".
function parseTimestamp(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  throw new WebhookVerificationError('invalid_timestamp', 'webhook-timestamp is not whole seconds since 1970')
}

function checkTime(sentAtMs: number, { nowMs, toleranceMs = defaultToleranceMs }: VerifyOptions): void {
  // Said so that a time that is no number is refused.
  if (!(sentAtMs >= nowMs - toleranceMs))
    throw new WebhookVerificationError('timestamp_too_old', 'the request was signed too long ago')
  if (!(sentAtMs <= nowMs + toleranceMs))
    throw new WebhookVerificationError('timestamp_too_new', 'the request was signed in the future')
}

// Standard Webhooks joins id, time and body by dots: an id with one could be read as another id and another time.
function checkId(id: string): void {
  if (id.includes('.')) throw new WebhookVerificationError('invalid_id', 'webhook-id contains a dot')
}

type Bytes = Uint8Array<ArrayBuffer>

function signedBytes(prefix: string, body: string | Uint8Array): Bytes {
  const encoder = new TextEncoder()
  const head = encoder.encode(prefix)
  const tail = typeof body === 'string' ? encoder.encode(body) : body
  const bytes = new Uint8Array(head.length + tail.length)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}

const signatureBytes = { v1: 32, v1a: 64 } as const

interface Signature {
  readonly version: 'v1' | 'v1a'
  readonly bytes: Bytes
}

function parseSignature(text: string): readonly Signature[] {
  const [version = '', encoded = ''] = text.split(',', 2)
  // Standard Webhooks: a verifier passes over versions it does not know.
  if (version !== 'v1' && version !== 'v1a') return []
  const bytes = decodeBase64(encoded)
  return bytes?.length === signatureBytes[version] ? [{ version, bytes }] : []
}

// Web Crypto compares in constant time, and every pair is tried: how long it takes tells nothing of which one fits.
async function anyFits(
  keys: readonly ImportedKey[],
  signatures: readonly Signature[],
  content: Bytes,
): Promise<boolean> {
  const pairs = keys.flatMap(({ version, algorithm, key }) =>
    signatures
      .filter((signature) => signature.version === version)
      .map(({ bytes }) => crypto.subtle.verify(algorithm, key, bytes, content)),
  )
  return (await Promise.all(pairs)).includes(true)
}

function parseEvent<T>(body: string | Uint8Array): WebhookEvent<T> {
  try {
    const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body)
    const event: unknown = JSON.parse(text)
    if (typeof event === 'object' && event !== null && !Array.isArray(event)) return event as WebhookEvent<T>
  } catch {
    // Said below.
  }
  throw new WebhookVerificationError('invalid_body', 'the signed body is not a JSON object')
}

function numberIn(headers: WebhookHeaders, name: string): number | null {
  const text = readHeader(headers, name) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

/**
 * Verifies a webhook by Standard Webhooks 1.0.0 (v1: HMAC-SHA256; v1a: Ed25519) and reads it. One signature that fits
 * one key is enough; unknown versions are passed over. Only the signed headers (id and time) and the body are proven:
 * sequence, attempt, replay and thin are what the transport says.
 * @throws WebhookVerificationError, with a code
 */
export async function verifyWebhook<T = unknown>(
  { headers, body }: WebhookRequest,
  options: VerifyOptions,
): Promise<VerifiedWebhook<T>> {
  const id = requireHeader(headers, 'webhook-id')
  const timestamp = requireHeader(headers, 'webhook-timestamp')
  const list = requireHeader(headers, 'webhook-signature')
  checkId(id)
  const sentAtMs = parseTimestamp(timestamp)
  checkTime(sentAtMs, options)
  const keys = await importKeys(options.keys)
  const signatures = list.split(' ').slice(0, signaturesMax).flatMap(parseSignature)
  const content = signedBytes(`${id}.${timestamp}.`, body)
  if (!(await anyFits(keys, signatures, content)))
    throw new WebhookVerificationError('no_matching_signature', 'no signature fits the body and the keys')
  return {
    id,
    sentAtMs,
    sequence: numberIn(headers, 'webhook-sequence'),
    attempt: numberIn(headers, 'webhook-attempt'),
    replayId: readHeader(headers, 'webhook-replay'),
    thin: readHeader(headers, 'webhook-thin') === 'true',
    event: parseEvent<T>(body),
  }
}
