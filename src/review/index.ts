export { type CheckDependencies, checkCase } from './check-case.ts'
export { makeWakeChecks, startReviewJobs } from './jobs.ts'
export { reviewCapability } from './operations.ts'
