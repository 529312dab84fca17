/**
 * The browser's half of passkeys: a form with `data-passkey` is shown where the browser knows passkeys, and asks the
 * authenticator before it is sent. Written for browsers that have WebAuthn but not its newer JSON helpers.
 */
export const passkeyScript = `const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

async function ask(form) {
  const options = JSON.parse(form.dataset.options)
  options.challenge = bytes(options.challenge)
  if (form.dataset.passkey === 'get') {
    const { rawId, response } = await navigator.credentials.get({ publicKey: options })
    return {
      id: text(rawId),
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: text(response.userHandle ?? new ArrayBuffer(0)),
    }
  }
  options.user.id = bytes(options.user.id)
  options.excludeCredentials = (options.excludeCredentials ?? []).map((known) => ({ ...known, id: bytes(known.id) }))
  const { rawId, response } = await navigator.credentials.create({ publicKey: options })
  return { id: text(rawId), clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject) }
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll('form[data-passkey]') : []) {
  const problem = form.querySelector('[data-passkey-problem]')
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    problem.hidden = true
    try {
      form.elements.credential.value = JSON.stringify(await ask(form))
      form.submit()
    } catch {
      problem.hidden = false
    }
  })
}
for (const hint of window.PublicKeyCredential ? document.querySelectorAll('[data-without-passkeys]') : []) hint.hidden = true
`
