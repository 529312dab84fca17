import { metadataCases } from './cases/metadata.ts'
import { runCases } from './run-cases.ts'

runCases(metadataCases)
