import { performance } from 'node:perf_hooks'
import { beforeAll, describe, expect, test } from 'vitest'
import { mintToken, newId, systemRandom } from '../../../../src/kernel/index.ts'
import { type Actor, basic } from '../actor.ts'
import type { World } from '../world.ts'
import { compareRanks, tellsApart } from './rank-test.ts'

let world: World
let at: Actor

function prepare(opened: World): void {
  world = opened
  at = opened.direct
}

const samplesPerCase = 120

/** Times both in turn, so that a slow moment of the machine meets both. The first few warm up and do not count. */
async function interleaved(first: () => Promise<unknown>, second: () => Promise<unknown>) {
  const times: [number[], number[]] = [[], []]
  for (let i = -10; i < samplesPerCase; i += 1)
    for (const [which, run] of [first, second].entries()) {
      const startedAt = performance.now()
      await run()
      if (i >= 0) times[which as 0 | 1].push(performance.now() - startedAt)
    }
  return times
}

export function timingAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('the time of an answer does not tell', () => {
    const secret = () => mintToken('clientSecret', systemRandom)
    const unknownApp = () => newId('app', { clock: world.at.clock, random: systemRandom })

    test('an unknown client from a wrong secret, by HTTP Basic', async () => {
      const ask = (appId: string) =>
        at.send('POST', '/oauth/token', {
          form: { grant_type: 'client_credentials' },
          headers: { authorization: basic({ appId, clientSecret: secret() }) },
        })
      const [unknown, known] = [await ask(unknownApp()), await ask(world.app.appId)]
      expect([unknown.status, unknown.text]).toEqual([known.status, known.text])
      const [one, other] = await interleaved(
        () => ask(unknownApp()),
        () => ask(world.app.appId),
      )
      expect(tellsApart(one, other), JSON.stringify(compareRanks(one, other))).toBe(false)
    })

    test('an unknown client from a wrong secret, in the form', async () => {
      const ask = (appId: string) =>
        at.token({ grant_type: 'client_credentials', client_id: appId, client_secret: secret() }, null)
      const [unknown, known] = [await ask(unknownApp()), await ask(world.app.appId)]
      expect([unknown.status, unknown.text]).toEqual([known.status, known.text])
      const [one, other] = await interleaved(
        () => ask(unknownApp()),
        () => ask(world.app.appId),
      )
      expect(tellsApart(one, other), JSON.stringify(compareRanks(one, other))).toBe(false)
    })

    test('an unknown refresh token from another app’s', async () => {
      const { refresh_token } = await at.connect()
      const ask = (token: string) => at.refresh(token, {}, world.other)
      const unknown = mintToken('refreshToken', systemRandom)
      expect((await ask(unknown)).text).toBe((await ask(refresh_token)).text)
      const [one, other] = await interleaved(
        () => ask(unknown),
        () => ask(refresh_token),
      )
      expect(tellsApart(one, other), JSON.stringify(compareRanks(one, other))).toBe(false)
    })
  })

  describe('the comparison itself', () => {
    // A fixed sequence with a long tail, as times of answers have.
    const noise = (length: number, seed: number) => {
      let state = seed
      return Array.from({ length }, () => {
        state = (state * 48_271) % 2_147_483_647
        return 1 + 0.3 * -Math.log(state / 2_147_483_647)
      })
    }

    test('finds nothing in two samples of the same', () => {
      expect(tellsApart(noise(120, 11), noise(120, 23))).toBe(false)
    })

    test('finds nothing in a difference of a tenth of the spread', () => {
      const shifted = noise(120, 23).map((time) => time + 0.03)
      expect(tellsApart(noise(120, 11), shifted)).toBe(false)
    })

    test('finds a password hash, in either sample', () => {
      const slow = noise(120, 23).map((time) => time + 50)
      expect(tellsApart(noise(120, 11), slow)).toBe(true)
      expect(tellsApart(slow, noise(120, 11))).toBe(true)
    })
  })
}
