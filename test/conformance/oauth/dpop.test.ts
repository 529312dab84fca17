import { dpopCases } from './cases/dpop.ts'
import { runCases } from './run-cases.ts'

runCases(dpopCases)
