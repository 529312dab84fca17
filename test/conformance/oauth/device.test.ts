import { deviceCases } from './cases/device.ts'
import { runCases } from './run-cases.ts'

runCases(deviceCases)
