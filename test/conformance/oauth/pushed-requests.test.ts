import { pushedRequestCases } from './cases/pushed-requests.ts'
import { runCases } from './run-cases.ts'

runCases(pushedRequestCases)
