import { securityCases } from './cases/security.ts'
import { runCases } from './run-cases.ts'

runCases(securityCases)
