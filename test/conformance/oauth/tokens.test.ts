import { tokenCases } from './cases/tokens.ts'
import { runCases } from './run-cases.ts'

runCases(tokenCases)
