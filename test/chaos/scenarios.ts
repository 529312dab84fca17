/** What a run is played on. */
export interface Scenario {
  readonly title: string
  /** One process of everything on the embedded database, or processes of their own on PostgreSQL. */
  readonly nodes: 'one' | 'separate'
  readonly redis: boolean
  /** Its part of the events and kills when several scenarios share them. */
  readonly weight: number
}

export const scenarios = {
  postgresql: {
    title: 'API and two workers on PostgreSQL',
    nodes: 'separate',
    redis: false,
    weight: 2,
  },
  redis: {
    title: 'API and two workers on PostgreSQL with Redis',
    nodes: 'separate',
    redis: true,
    weight: 2,
  },
  pglite: {
    title: 'one process on the embedded database',
    nodes: 'one',
    redis: false,
    weight: 1,
  },
} as const satisfies Readonly<Record<string, Scenario>>

export type ScenarioName = keyof typeof scenarios

export const scenarioNames = Object.keys(scenarios) as readonly ScenarioName[]

/** Divides a number among the scenarios by weight; the parts add up to it. */
export function divide(total: number, names: readonly ScenarioName[]): ReadonlyMap<ScenarioName, number> {
  let weightLeft = names.reduce((sum, name) => sum + scenarios[name].weight, 0)
  let left = total
  const parts = new Map<ScenarioName, number>()
  for (const name of names) {
    const part = Math.round((left * scenarios[name].weight) / weightLeft)
    parts.set(name, part)
    left -= part
    weightLeft -= scenarios[name].weight
  }
  return parts
}
