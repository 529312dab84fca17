import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompiledOperation } from '../../../src/capability/index.ts'
import type { ProblemBody } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { fill, makeTenant, missing, type Tenant } from './tenants.ts'

let at: TestPlatform
let mine: Tenant
let theirs: Tenant

beforeAll(async () => {
  at = await startTestPlatform()
  mine = await makeTenant(at)
  theirs = await makeTenant(at)
})
afterAll(() => at.close())

const tenantAudiences = ['app', 'developer', 'merchant', 'account']

function named(of: (compiled: CompiledOperation) => boolean): readonly CompiledOperation[] {
  return [...at.platform.catalog.operations.values()].filter(
    (compiled) => compiled.pathMembers.length > 0 && of(compiled),
  )
}

type Source = 'mine' | 'theirs' | 'missing'

/** Every way to fill the path in which at least one id is not mine. */
function combinations(members: readonly string[]): readonly (readonly Source[])[] {
  return members
    .reduce<readonly (readonly Source[])[]>(
      (found, _member) =>
        found.flatMap((one) => (['mine', 'theirs', 'missing'] as const).map((s) => [...one, s])),
      [[]],
    )
    .filter((sources) => sources.some((source) => source !== 'mine'))
}

async function answerOf(compiled: CompiledOperation, sources: readonly Source[]) {
  const { path, audience, method } = compiled.operation
  const values = compiled.pathMembers.map((member, i) => {
    const id = (sources[i] === 'theirs' ? theirs : mine).ids[member] ?? ''
    return [member, sources[i] === 'missing' ? missing(id) : id] as const
  })
  const answer = await mine.clients[audience].request<ProblemBody>(
    method,
    fill(path, Object.fromEntries(values)),
  )
  const { requestId: _other, ...words } = answer.body ?? {}
  return { status: answer.status, words }
}

async function checkAlike(compiled: CompiledOperation): Promise<void> {
  for (const sources of combinations(compiled.pathMembers)) {
    const asMissing = sources.map((source) => (source === 'theirs' ? 'missing' : source))
    const [actual, expected] = [await answerOf(compiled, sources), await answerOf(compiled, asMissing)]
    const where = `${compiled.operation.id} with ${sources.join(', ')}`
    expect(actual, where).toEqual(expected)
    if (compiled.operation.id !== 'storage.delete') expect(actual.status, where).toBe(404)
  }
}

describe('another tenant’s id answers word for word as one that does not exist', () => {
  test('in every read with an id', async () => {
    const reads = named(({ operation }) => operation.kind === 'read' && operation.method === 'GET')
    const ofTenants = reads.filter(({ operation }) => tenantAudiences.includes(operation.audience))
    expect(ofTenants.length).toBeGreaterThan(15)
    for (const compiled of ofTenants) await checkAlike(compiled)
  })

  test('in every delete, and deletes nothing', async () => {
    const deletes = named(
      ({ operation }) => operation.method === 'DELETE' && tenantAudiences.includes(operation.audience),
    )
    expect(deletes.length).toBeGreaterThan(5)
    await leavingNothing(at, async () => {
      for (const compiled of deletes) await checkAlike(compiled)
    })
  })

  test('and my own ids do answer: the comparison above is not between errors of another kind', async () => {
    for (const { operation, pathMembers } of named((c) => c.operation.method === 'GET')) {
      const path = fill(operation.path, Object.fromEntries(pathMembers.map((m) => [m, mine.ids[m] ?? ''])))
      const { status, text } = await mine.clients[operation.audience].request('GET', path)
      expect(status, `${operation.id} ${text}`).toBe(200)
    }
  })
})

test('an id that does not exist is 404 for the host and the reviewers too', async () => {
  for (const { operation, pathMembers } of named(
    ({ operation: { audience, method } }) => method === 'GET' && ['host', 'reviewer'].includes(audience),
  )) {
    const values = Object.fromEntries(pathMembers.map((member) => [member, missing(mine.ids[member] ?? '')]))
    const { status } = await mine.clients[operation.audience].request('GET', fill(operation.path, values))
    expect(status, operation.id).toBe(404)
  }
})

test('an order of one merchant does not exist under another one, for the host neither', async () => {
  const path = `/host/v1/merchants/${mine.ids['merchantId']}/orders/${theirs.ids['orderId']}:pay`
  await leavingNothing(at, async () => {
    const problem = await at.host.refused('POST', path, 404)
    expect(problem.code).toBe('order.not_found')
  })
})

test('something that is no id at all is refused with a pointer to it', async () => {
  const problem = await mine.clients.app.refused('GET', '/v1/orders/../../etc', 404).catch(() => null)
  expect(problem?.code ?? 'http.not_found').toBe('http.not_found')
  const refused = await mine.clients.app.refused(
    'GET',
    `/v1/orders/${encodeURIComponent("' or 1=1 --")}`,
    400,
  )
  expect(refused.errors).toEqual([expect.objectContaining({ pointer: '/orderId', code: 'pattern' })])
})
