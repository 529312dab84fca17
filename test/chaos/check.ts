/**
 * Judges runs by the files of their publisher, their receiver and their faults alone:
 * `tsx test/chaos/check.ts FOLDER…`. The last line sums all folders up; the exit code is 1 when a promise was broken.
 */
import path from 'node:path'
import { judge, percentile, type Verdict } from './judge.ts'
import { readEvidence } from './lines.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

function scorecard(name: string, verdict: Verdict): readonly string[] {
  const { recoveriesMs, recoveriesFromFaultMs, problems } = verdict
  const ms = (values: readonly number[], share: number) => `${percentile(values, share)} ms`
  const redelivered = recoveriesMs.length
  return [
    `${name}`,
    `  published          ${verdict.published}`,
    `  delivered          ${verdict.delivered}`,
    `  lost               ${verdict.lost}`,
    `  duplicates         ${verdict.duplicates} (in flight at faults: ${verdict.open} open and ${verdict.inFlight - verdict.open} answered just before)`,
    `  order violations   ${verdict.orderViolations}`,
    `  recovery           p50 ${ms(recoveriesMs, 0.5)}, p99 ${ms(recoveriesMs, 0.99)}, longest ${ms(recoveriesMs, 1)} (${redelivered} redeliveries)`,
    `  from the fault     p50 ${ms(recoveriesFromFaultMs, 0.5)}, p99 ${ms(recoveriesFromFaultMs, 0.99)}`,
    ...(problems.length === 0 ? ['  every promise kept'] : problems.map((problem) => `  BROKEN: ${problem}`)),
  ]
}

function sumUp(verdicts: readonly Verdict[]) {
  const total = (member: 'published' | 'delivered' | 'lost' | 'duplicates' | 'orderViolations') =>
    verdicts.reduce((sum, verdict) => sum + verdict[member], 0)
  const recoveriesMs = verdicts.flatMap((verdict) => verdict.recoveriesMs)
  return {
    published: total('published'),
    delivered: total('delivered'),
    lost: total('lost'),
    duplicates: total('duplicates'),
    order_violations: total('orderViolations'),
    recovery_p50_ms: percentile(recoveriesMs, 0.5),
    recovery_p99_ms: percentile(recoveriesMs, 0.99),
  }
}

const folders = process.argv.slice(2)
if (folders.length === 0) throw new Error('say which folders: tsx test/chaos/check.ts FOLDER…')
const verdicts = folders.map((folder) => judge(readEvidence(folder)))
for (const [index, verdict] of verdicts.entries()) {
  for (const line of scorecard(path.basename(folders[index] ?? ''), verdict)) print(line)
}
print(JSON.stringify(sumUp(verdicts)))
process.exitCode = verdicts.some(({ problems }) => problems.length > 0) ? 1 : 0
