import type { Catalog } from '../../capability/index.ts'
import type { Again } from '../../events/index.ts'
import type { SendingDependencies } from '../dependencies.ts'

/** What looking back at deliveries, and sending them once more, needs. Asked late: they are made after the catalogue. */
export interface HistoryDependencies {
  readonly catalog: () => Pick<Catalog, 'eventTypes' | 'scopes'>
  readonly again: () => Again
  readonly sending: SendingDependencies
  /** Has some process go on with the replay. */
  readonly wakeReplay: (replayId: string) => void
}
