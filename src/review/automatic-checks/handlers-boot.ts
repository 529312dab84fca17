import { quoted } from '../finding.ts'
import type { AutomaticCheck } from './check.ts'

/** The bundle loads in the sandbox: one that does not could never handle anything. */
export const handlersBoot: AutomaticCheck = ({ handlers }) => {
  if (handlers === null || handlers.result.ok) return []
  const { path, result } = handlers
  const { message, line } = result.problem
  return [
    {
      ruleId: 'handlers.boot',
      severity: 'blocker',
      message: `The sandbox cannot load it: ${quoted(message)}`,
      pointer: '/stoa_handlers',
      path,
      line: line ?? null,
    },
  ]
}
