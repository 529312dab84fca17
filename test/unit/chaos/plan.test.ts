import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/kernel/index.ts'
import { failings } from '../../chaos/behaviour.ts'
import { drawPlan } from '../../chaos/plan.ts'
import { divide, scenarioNames, scenarios } from '../../chaos/scenarios.ts'

const full = { events: 100_000, kills: 20 }

function planOf(name: (typeof scenarioNames)[number], seed: string, run = full) {
  const events = divide(run.events, scenarioNames).get(name) ?? 0
  const kills = divide(run.kills, scenarioNames).get(name) ?? 0
  return { plan: drawPlan(scenarios[name], { events, kills }, seededRandom(seed)), events, kills }
}

test('the same seed draws the same plan, another seed another', () => {
  expect(planOf('redis', 'one')).toEqual(planOf('redis', 'one'))
  expect(planOf('redis', 'one')).not.toEqual(planOf('redis', 'two'))
})

test('the full form has 20 kills, three crashes of PostgreSQL or more, Redis emptied twice', () => {
  const strikes = scenarioNames.flatMap((name) => planOf(name, 'full').plan.map(({ strike }) => strike.kind))
  const count = (kind: string) => strikes.filter((one) => one === kind).length
  expect(count('kill')).toBe(20)
  expect(count('crash-postgresql')).toBeGreaterThanOrEqual(3)
  expect(count('empty-redis')).toBe(2)
  expect(count('stop-redis')).toBeGreaterThanOrEqual(1)
})

describe.each(scenarioNames)('the plan of %s', (name) => {
  const plans = Array.from({ length: 50 }, (_, seed) => planOf(name, String(seed)))

  test('strikes in order, within the run, each with deliveries of its own', () => {
    for (const { plan, events } of plans) {
      const moments = plan.map(({ at }) => at)
      const gaps = moments.map((at, index) => at - (moments[index - 1] ?? 0))
      expect(Math.min(...gaps)).toBeGreaterThan(50)
      expect(moments.at(-1)).toBeLessThan(events * 0.9)
    }
  })

  test('kills as often as asked, the API too, and lets the receiver fail in every way before the middle where it lasts', () => {
    for (const { plan, kills } of plans) {
      const strikes = plan.map(({ strike }) => strike)
      const targets = strikes.flatMap((strike) => (strike.kind === 'kill' ? [strike.target] : []))
      expect(targets).toHaveLength(kills)
      expect(new Set(targets)).toEqual(new Set(name === 'pglite' ? ['stoa'] : ['api', 'worker']))
      const failed = strikes.flatMap((strike) => (strike.kind === 'failing-receiver' ? [strike.failing] : []))
      expect([...failed].sort()).toEqual([...failings].sort())
      const isLasting = (strike: (typeof strikes)[number]) =>
        strike.kind === 'failing-receiver' && ['hang', 'drip'].includes(strike.failing)
      expect(strikes.findLastIndex(isLasting)).toBeLessThanOrEqual(Math.ceil(strikes.length / 2))
    }
  })
})

test('what is divided among scenarios adds up', () => {
  for (const total of [0, 1, 4, 20, 5_000, 99_999]) {
    const parts = [...divide(total, scenarioNames).values()]
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total)
  }
})
