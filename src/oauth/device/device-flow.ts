import type { KoaContextWithOIDC } from 'oidc-provider'
import { userCodeSettings } from './user-code.ts'

function unreachablePage(): never {
  throw new Error('invariant broken: /oauth/device is a page of the console')
}

const userAgentLengthMax = 256

/** Where a request came from, for whoever is asked to decide about it. */
function deviceInfo(ctx: KoaContextWithOIDC) {
  const userAgent = ctx
    .get('user-agent')
    .replaceAll(/\p{Cc}/gu, ' ')
    .slice(0, userAgentLengthMax)
  return { address: ctx.ip, userAgent }
}

/** The library's feature for RFC 8628. Its pages are never reached: ours stand at the same address. */
export function deviceFlow() {
  return {
    enabled: true as const,
    ...userCodeSettings,
    deviceInfo,
    userCodeInputSource: unreachablePage,
    userCodeConfirmSource: unreachablePage,
    successSource: unreachablePage,
  }
}
