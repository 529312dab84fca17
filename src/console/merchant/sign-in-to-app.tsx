import type { Interaction, PageCall, PageRequest, PageResponse } from '../page.ts'
import { FormFields, html } from '../shared/shell.tsx'
import { text } from '../shared/texts.ts'
import type { MerchantChoice } from './choose-merchant.tsx'
import type { ConsentQuestion } from './consent-question.ts'

/** Whether the app only wants to know who is there: it is installed, and has everything it cannot do without. */
export function isSignIn({ accessType, installationId, required }: ConsentQuestion): boolean {
  return accessType === 'online' && installationId !== null && required.every(({ granted }) => granted)
}

/** Asks a member of the merchant whether the app may know that they use it. */
export function signInForm(
  request: PageRequest,
  {
    question,
    merchant,
    interaction,
  }: {
    readonly question: ConsentQuestion
    readonly merchant: MerchantChoice
    readonly interaction: Interaction
  },
): PageResponse {
  const { locale, person } = request
  return html(
    request,
    {
      title: text(locale, 'appSignInTitle', { app: question.appNames[locale] }),
      formActionOrigins: [interaction.redirectOrigin],
    },
    <form method="post" action={`/consent/${interaction.uid}`}>
      <FormFields request={request} />
      <input type="hidden" name="merchant_id" value={merchant.id} />
      <input type="hidden" name="installation_id" value={question.installationId ?? ''} />
      <p>{text(locale, 'consentMaker', { publisher: question.publisherName })}</p>
      <p>
        {text(locale, 'appSignInWhat', {
          app: question.appNames[locale],
          name: person?.displayName ?? '',
          merchant: merchant.name,
        })}
      </p>
      <p class="hint">{text(locale, 'appSignInEnd')}</p>
      <div class="buttons">
        <button type="submit" name="decision" value="deny">
          {text(locale, 'doNotAllow')}
        </button>
        <button type="submit" name="decision" value="allow">
          {text(locale, 'continueAction')}
        </button>
      </div>
    </form>,
  )
}

/** Answers that form; null: the request came from the consent form. */
export async function signInToApp(
  request: PageRequest,
  call: PageCall,
  interaction: Interaction,
): Promise<string | null> {
  const installationId = request.form['installation_id']?.[0]
  if (installationId === undefined) return null
  const input = { installationId, interactionUid: interaction.uid }
  const { output } = await call('installation.sign_in', input)
  return (output as { readonly redirectTo: string }).redirectTo
}
