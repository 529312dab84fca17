import { StoaError } from '../../kernel/index.ts'
import { interactionGone } from '../account/sign-in.tsx'
import type { Interaction, Page, PageCall, PageRequest, PageResponse, PageSession } from '../page.ts'
import { text } from '../shared/texts.ts'
import { type MerchantChoice, withMerchant } from './choose-merchant.tsx'
import { type ConsentFormOptions, consentForm, refusedPage } from './consent-form.tsx'
import type { ConsentQuestion } from './consent-question.ts'
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

function field(request: PageRequest, name: string): string {
  return request.form[name]?.[0] ?? ''
}

async function accept(
  request: PageRequest,
  call: PageCall,
  appId: string,
  interactionUid?: string,
): Promise<Created> {
  const { output } = await call('installation.create', {
    merchantId: field(request, 'merchant_id'),
    appId,
    versionId: field(request, 'version_id'),
    optionalScopes: request.form['optional'] ?? [],
    separateScopes: request.form['separate'] ?? [],
    textSha256: field(request, 'text'),
    locale: request.locale,
    ...(interactionUid === undefined ? {} : { interactionUid }),
  })
  return output as Created
}

/** Nothing but these words allows or refuses; everything else is no decision. */
function decisionOf(request: PageRequest): 'allow' | 'deny' | null {
  const decision = field(request, 'decision')
  return decision === 'allow' || decision === 'deny' ? decision : null
}

/** Keeps the refusal. That it could not be kept must never stand in the way of a no. */
async function refuse(request: PageRequest, call: PageCall, appId: string): Promise<void> {
  try {
    await call('consent.refuse', {
      ...{ merchantId: field(request, 'merchant_id'), appId, locale: request.locale },
    })
  } catch (error) {
    if (!(error instanceof StoaError) || error.status >= 500) throw error
  }
}

function marketForm(question: ConsentQuestion, merchant: MerchantChoice): ConsentFormOptions {
  return { question, merchant, action: `/m/apps/${question.appId}/consent` }
}

function appForm(
  question: ConsentQuestion,
  merchant: MerchantChoice,
  { uid, redirectOrigin }: Interaction,
): ConsentFormOptions {
  // Chromium applies form-action to the redirect that answers the form, too.
  return { question, merchant, action: `/consent/${uid}`, formActionOrigins: [redirectOrigin] }
}

async function showForApp(
  request: PageRequest,
  call: PageCall,
  merchant: MerchantChoice,
  interaction: Interaction,
): Promise<PageResponse> {
  const question = await readQuestion(call, merchant.id, interaction.appId, interaction.uid)
  if (isSignIn(question)) return signInForm(request, { question, merchant, interaction })
  const form = appForm(question, merchant, interaction)
  if (question.refusedAt === null || request.query['again'] === '1') return consentForm(request, form)
  const again = `/consent/${interaction.uid}?merchant=${encodeURIComponent(merchant.id)}&again=1`
  return refusedPage(request, { ...form, again })
}

/** The question again, with what is missing: a box that had to be ticked apart was not. */
function mend(
  request: PageRequest,
  call: PageCall,
  { appId, interactionUid }: { readonly appId: string; readonly interactionUid?: string },
  form: (question: ConsentQuestion, merchant: MerchantChoice) => ConsentFormOptions,
): (error: unknown) => Promise<PageResponse> {
  return (error) => {
    if (!(error instanceof StoaError) || error.code !== 'install.separate_consent_missing') throw error
    return withMerchant(request, call, field(request, 'merchant_id'), async (merchant) => {
      const options = form(await readQuestion(call, merchant.id, appId, interactionUid), merchant)
      return consentForm(request, { ...options, problem: text(request.locale, 'separateMissing') })
    })
  }
}

async function answerMarket(request: PageRequest, call: PageCall): Promise<PageResponse> {
  const appId = request.params['appId'] ?? ''
  const merchant = `merchant=${encodeURIComponent(field(request, 'merchant_id'))}`
  const decision = decisionOf(request)
  if (decision === 'deny') await refuse(request, call, appId)
  if (decision !== 'allow') return { kind: 'redirect', location: '/m' }
  const location = `/m/apps/${appId}?${merchant}`
  return accept(request, call, appId).then(
    () => ({ kind: 'redirect', location }),
    mend(request, call, { appId }, marketForm),
  )
}

async function answerApp(
  request: PageRequest,
  call: PageCall,
  session: PageSession,
  interaction: Interaction,
): Promise<PageResponse> {
  const { appId, uid } = interaction
  const decision = decisionOf(request)
  const signedIn = decision === 'allow' ? await signInToApp(request, call, interaction) : null
  if (signedIn !== null) return { kind: 'redirect', location: signedIn }
  if (decision === 'deny') await refuse(request, call, appId)
  if (decision !== 'allow') return { kind: 'redirect', location: await session.denyConsent(interaction) }
  return accept(request, call, appId, uid).then(
    ({ redirectTo }) =>
      redirectTo === null ? interactionGone(request) : { kind: 'redirect', location: redirectTo },
    mend(request, call, { appId, interactionUid: uid }, (question, merchant) =>
      appForm(question, merchant, interaction),
    ),
  )
}

export const consentPages: readonly Page[] = [
  {
    method: 'GET',
    path: '/m/apps/:appId/consent',
    access: 'signed-in',
    handle: (request, call) =>
      withMerchant(request, call, request.query['merchant'], (merchant) =>
        readQuestion(call, merchant.id, request.params['appId'] ?? '').then((question) =>
          consentForm(request, marketForm(question, merchant)),
        ),
      ),
  },
  {
    method: 'POST',
    path: '/m/apps/:appId/consent',
    access: 'signed-in',
    handle: answerMarket,
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
