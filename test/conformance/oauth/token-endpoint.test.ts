import { tokenEndpointCases } from './cases/token-endpoint.ts'
import { runCases } from './run-cases.ts'

runCases(tokenEndpointCases)
