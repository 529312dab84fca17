import { dpopApiCases } from './cases/dpop-api.ts'
import { runCases } from './run-cases.ts'

runCases(dpopApiCases)
