import { interactionGone } from '../account/sign-in.tsx'
import type { Interaction, Page, PageCall, PageRequest, PageResponse, PageSession } from '../page.ts'
import { type MerchantChoice, withMerchant } from './choose-merchant.tsx'
import { type ConsentQuestion, consentForm } from './consent-form.tsx'
import { isSignIn, signInForm, signInToApp } from './sign-in-to-app.tsx'

async function readQuestion(
  call: PageCall,
  merchantId: string,
  appId: string,
  interactionUid?: string,
): Promise<ConsentQuestion> {
  const ref = interactionUid === undefined ? {} : { interactionUid }
  const { output } = await call('consent.get', { merchantId, appId, ...ref })
  return output as ConsentQuestion
}

interface Created {
  readonly redirectTo: string | null
}

async function accept(
  request: PageRequest,
  call: PageCall,
  appId: string,
  interactionUid?: string,
): Promise<Created> {
  const { output } = await call('installation.create', {
    merchantId: request.form['merchant_id']?.[0] ?? '',
    appId,
    versionId: request.form['version_id']?.[0] ?? '',
    optionalScopes: request.form['optional'] ?? [],
    locale: request.locale,
    ...(interactionUid === undefined ? {} : { interactionUid }),
  })
  return output as Created
}

function allowed(request: PageRequest): boolean {
  return request.form['decision']?.[0] === 'allow'
}

async function showForMarket(
  request: PageRequest,
  call: PageCall,
  merchant: MerchantChoice,
): Promise<PageResponse> {
  const appId = request.params['appId'] ?? ''
  const question = await readQuestion(call, merchant.id, appId)
  return consentForm(request, { question, merchant, action: `/m/apps/${question.appId}/consent` })
}

async function showForApp(
  request: PageRequest,
  call: PageCall,
  merchant: MerchantChoice,
  interaction: Interaction,
): Promise<PageResponse> {
  const question = await readQuestion(call, merchant.id, interaction.appId, interaction.uid)
  if (isSignIn(question)) return signInForm(request, { question, merchant, interaction })
  return consentForm(request, {
    question,
    merchant,
    action: `/consent/${interaction.uid}`,
    // Chromium applies form-action to the redirect that answers the form, too.
    formActionOrigins: [interaction.redirectOrigin],
  })
}

async function answerApp(
  request: PageRequest,
  call: PageCall,
  session: PageSession,
  interaction: Interaction,
): Promise<PageResponse> {
  if (!allowed(request)) return { kind: 'redirect', location: await session.denyConsent(interaction) }
  const signedIn = await signInToApp(request, call, interaction)
  if (signedIn !== null) return { kind: 'redirect', location: signedIn }
  const { redirectTo } = await accept(request, call, interaction.appId, interaction.uid)
  return redirectTo === null ? interactionGone(request) : { kind: 'redirect', location: redirectTo }
}

export const consentPages: readonly Page[] = [
  {
    method: 'GET',
    path: '/m/apps/:appId/consent',
    access: 'signed-in',
    handle: (request, call) =>
      withMerchant(request, call, request.query['merchant'], (merchant) =>
        showForMarket(request, call, merchant),
      ),
  },
  {
    method: 'POST',
    path: '/m/apps/:appId/consent',
    access: 'signed-in',
    async handle(request, call) {
      const appId = request.params['appId'] ?? ''
      if (!allowed(request)) return { kind: 'redirect', location: '/m' }
      await accept(request, call, appId)
      const merchantId = encodeURIComponent(request.form['merchant_id']?.[0] ?? '')
      return { kind: 'redirect', location: `/m/apps/${appId}?merchant=${merchantId}` }
    },
  },
  {
    method: 'GET',
    path: '/consent/:uid',
    access: 'signed-in',
    handle(request, call) {
      const { interaction } = request
      if (interaction === null) return Promise.resolve(interactionGone(request))
      return withMerchant(request, call, request.query['merchant'], (merchant) =>
        showForApp(request, call, merchant, interaction),
      )
    },
  },
  {
    method: 'POST',
    path: '/consent/:uid',
    access: 'signed-in',
    handle(request, call, session) {
      const { interaction } = request
      if (interaction === null) return Promise.resolve(interactionGone(request))
      return answerApp(request, call, session, interaction)
    },
  },
]
