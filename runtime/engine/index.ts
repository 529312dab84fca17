export type { EngineClock } from './clock.ts'
export { boot, checkProgram, type Engine, type LoadLimits, loadFailedReport } from './engine.ts'
export { hostCallFailures, runFailures } from './errors.ts'
