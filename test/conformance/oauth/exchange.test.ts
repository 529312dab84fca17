import { exchangeCases } from './cases/exchange.ts'
import { runCases } from './run-cases.ts'

runCases(exchangeCases)
