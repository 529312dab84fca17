import { accountActions } from './account/account-actions.tsx'
import { accountPage } from './account/account-page.tsx'
import { invitationPages } from './account/invitation.tsx'
import { providerPages } from './account/provider-pages.tsx'
import { signInPages } from './account/sign-in.tsx'
import { devicePages } from './device/device-pages.tsx'
import { errorsPage } from './docs/errors-page.tsx'
import { eventsPage } from './docs/events-page.tsx'
import { homePage } from './home-page.tsx'
import { accessPage } from './merchant/access-page.tsx'
import { consentPages } from './merchant/consent-pages.tsx'
import { marketPages } from './merchant/market-pages.tsx'
import type { Page } from './page.ts'

/** Every page there is. */
export const pages: readonly Page[] = [
  homePage,
  errorsPage,
  eventsPage,
  // Before the sign-in of an authorization, whose ":uid" would take its addresses for its own.
  ...providerPages,
  ...signInPages,
  accountPage,
  ...accountActions,
  ...invitationPages,
  ...marketPages,
  ...consentPages,
  accessPage,
  ...devicePages,
]
