import { deviceCases } from './cases/device.ts'
import { exchangeCases } from './cases/exchange.ts'
import { tokenEndpointCases } from './cases/token-endpoint.ts'
import { tokenCases } from './cases/tokens.ts'
import { runCases } from './run-cases.ts'

runCases({ ...deviceCases, ...exchangeCases, ...tokenEndpointCases, ...tokenCases })
