export type {
  Interaction,
  Locale,
  Page,
  PageCall,
  PageRequest,
  PageResponse,
  PageSession,
  ProviderAsking,
  SignInResult,
} from './page.ts'
export { pages } from './pages.ts'
export { renderError, renderErrorDocument } from './shared/error-page.tsx'
export { passkeyScript } from './shared/passkey-script.ts'
export { styleSheet } from './shared/style.ts'
