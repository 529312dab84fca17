// node .ci/count.mjs REPORT RESULT → "passed failed skipped" of one vitest run; the names of what failed go to stderr.
import { existsSync, readFileSync } from 'node:fs'

const [path = '', result = ''] = process.argv.slice(2)
const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: false }
const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : none
const clean = report.success && result === 'ok'
// A file that cannot be loaded and an error outside any test fail the run without failing a test.
const failed = clean ? 0 : Math.max(1, report.numFailedTests)
console.log(report.numPassedTests, failed, report.numPendingTests + report.numTodoTests)

for (const { name, status, message, assertionResults } of report.testResults ?? []) {
  const file = name.replace(`${process.cwd()}/`, '')
  const tests = assertionResults.filter((test) => test.status === 'failed')
  for (const test of tests) console.error(`${file} > ${test.fullName}`)
  if (status === 'failed' && tests.length === 0) console.error(`${file}: ${message.split('\n')[0]}`)
}
