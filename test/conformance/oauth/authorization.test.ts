import { authorizationCases } from './cases/authorization.ts'
import { authorizationDetailsCases } from './cases/authorization-details.ts'
import { browserCases } from './cases/browser.ts'
import { metadataCases } from './cases/metadata.ts'
import { pushedRequestCases } from './cases/pushed-requests.ts'
import { runCases } from './run-cases.ts'

runCases({
  ...authorizationCases,
  ...authorizationDetailsCases,
  ...browserCases,
  ...metadataCases,
  ...pushedRequestCases,
})
