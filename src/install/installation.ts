import { InstallErrors } from './errors.ts'

//  (none) ──accept──▶ active ──uninstall──▶ uninstalled
//                     ▲    │
//                     └────┘ accept: the merchant agreed to something else
export type InstallationState = 'active' | 'uninstalled'
export type InstallationAction = 'accept' | 'uninstall'

const transitions: Readonly<
  Record<InstallationState | 'none', Partial<Record<InstallationAction, InstallationState>>>
> = {
  none: { accept: 'active' },
  active: { accept: 'active', uninstall: 'uninstalled' },
  uninstalled: {},
}

/** The state after the action; `install.bad_transition` where the diagram has no arrow. */
export function next(state: InstallationState | 'none', action: InstallationAction): InstallationState {
  const after = transitions[state][action]
  if (after === undefined)
    throw InstallErrors.bad_transition(`an installation that is ${state} cannot ${action}`)
  return after
}
