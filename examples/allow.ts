// npx tsx examples/allow.ts URL EMAIL PASSWORD: signs in as this person, allows what the page asks for, and prints the
// address to which the browser is sent back. What a person does with a browser, for a guide that runs by itself.
import { makeBrowser } from './demo/browser.ts'

const [address, email, password] = process.argv.slice(2)
if (address === undefined || email === undefined || password === undefined) {
  console.error('usage: npx tsx examples/allow.ts URL EMAIL PASSWORD')
  process.exit(2)
}
const browser = makeBrowser({ only: new URL(address).origin })
const consent = await browser.submit(await browser.open(address), { email, password })
const { url } = await browser.submit(consent, { decision: 'allow' })
console.log(url)
