import { apiCases } from './cases/api.ts'
import { runCases } from './run-cases.ts'

runCases(apiCases)
