export type { CheckSubject } from './check.ts'
export { runAutomaticChecks } from './run-automatic-checks.ts'
