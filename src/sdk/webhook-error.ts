/** Why a request is not to be trusted. A code is a promise: programs may branch on it. */
export type WebhookVerificationCode =
  /** webhook-id, webhook-timestamp or webhook-signature is not there or empty. */
  | 'missing_header'
  /** webhook-id contains a dot, which Standard Webhooks rules out. */
  | 'invalid_id'
  /** webhook-timestamp is not whole seconds since 1970. */
  | 'invalid_timestamp'
  /** It was signed longer ago than tolerated: a replay, or a clock that goes wrong. */
  | 'timestamp_too_old'
  /** It was signed in the future. */
  | 'timestamp_too_new'
  /** No signature fits: another secret, or a body that was changed (parsed and written anew, for instance). */
  | 'no_matching_signature'
  /** What was given to verify with is no key. */
  | 'invalid_key'
  /** Signed, but not a JSON object. */
  | 'invalid_body'

/** The one error of `verifyWebhook`. Answer such a request with 400 and do nothing else. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError'
  readonly code: WebhookVerificationCode

  constructor(code: WebhookVerificationCode, message: string) {
    super(message)
    this.code = code
  }
}
