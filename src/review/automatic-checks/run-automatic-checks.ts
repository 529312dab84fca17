import type { Finding } from '../finding.ts'
import type { AutomaticCheck, CheckSubject } from './check.ts'
import { consentStated } from './consent-stated.ts'
import { eventsHandled } from './events-handled.ts'
import { handlersBoot } from './handlers-boot.ts'
import { handlersDeclared } from './handlers-declared.ts'

/** In the order in which findings are shown. */
const automaticChecks: readonly AutomaticCheck[] = [
  handlersBoot,
  eventsHandled,
  handlersDeclared,
  consentStated,
]

/** Everything the checks notice. */
export function runAutomaticChecks(subject: CheckSubject): readonly Finding[] {
  return automaticChecks.flatMap((check) => check(subject))
}
