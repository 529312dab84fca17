import { authorizationCases } from './cases/authorization.ts'
import { runCases } from './run-cases.ts'

runCases(authorizationCases)
