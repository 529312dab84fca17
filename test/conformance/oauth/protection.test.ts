import { apiCases } from './cases/api.ts'
import { dpopCases } from './cases/dpop.ts'
import { dpopApiCases } from './cases/dpop-api.ts'
import { securityCases } from './cases/security.ts'
import { runCases } from './run-cases.ts'

runCases({ ...apiCases, ...dpopCases, ...dpopApiCases, ...securityCases })
