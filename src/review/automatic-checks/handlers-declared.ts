import { quoted } from '../finding.ts'
import type { AutomaticCheck } from './check.ts'

const findingsMax = 100

/** Every handler is for an event the manifest asks for: any other never runs, and its author believes it does. */
export const handlersDeclared: AutomaticCheck = ({ manifest, handlers }) => {
  if (handlers === null || !handlers.result.ok) return []
  const declared = new Set((manifest.stoa_events ?? []).map(({ type }) => type))
  return handlers.result.handlerTypes
    .filter((type) => !declared.has(type))
    .slice(0, findingsMax)
    .map((type) => ({
      ruleId: 'handlers.event_undeclared',
      severity: 'warning',
      message: `The handler for “${quoted(type)}” never runs: the manifest does not list the event.`,
      pointer: '/stoa_events',
      path: handlers.path,
      line: null,
    }))
}
