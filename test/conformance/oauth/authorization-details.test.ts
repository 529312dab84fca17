import { authorizationDetailsCases } from './cases/authorization-details.ts'
import { runCases } from './run-cases.ts'

runCases(authorizationDetailsCases)
