import type { AutomaticCheck } from './check.ts'

/** Every event the manifest asks for has a handler, or the app has a backend that may take it. */
export const eventsHandled: AutomaticCheck = ({ appClass, manifest, handlers }) => {
  if (handlers === null || !handlers.result.ok) return []
  const handled = new Set(handlers.result.handlerTypes)
  return (manifest.stoa_events ?? []).flatMap(({ type }, index) => {
    if (handled.has(type)) return []
    const message = `No handler is registered for ${type}`
    return [
      {
        ruleId: 'handlers.event_unhandled',
        severity: appClass === 'both' ? 'info' : 'warning',
        message:
          appClass === 'both' ? `${message}; only the backend gets it.` : `${message}; nobody gets it.`,
        pointer: `/stoa_events/${index}`,
        path: handlers.path,
        line: null,
      },
    ]
  })
}
