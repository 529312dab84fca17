export {
  type VerifiedWebhook,
  type VerifyOptions,
  verifyWebhook,
  type WebhookEvent,
  type WebhookHeaders,
  type WebhookRequest,
} from './verify-webhook.ts'
export { type WebhookVerificationCode, WebhookVerificationError } from './webhook-error.ts'
export type { WebhookJwk, WebhookKey } from './webhook-key.ts'
