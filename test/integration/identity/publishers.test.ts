import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PersonCaller } from '../../../src/capability/index.ts'
import { limits, newId, toDate } from '../../../src/kernel/index.ts'
import { anonymous, type Bench, openBench, password } from './bench.ts'

let bench: Bench
let owner: PersonCaller
let publisherId: string
/** Owner of another publisher. */
let rival: PersonCaller
let rivalPublisherId: string

beforeAll(async () => {
  bench = await openBench()
  owner = await bench.person('owner@dev.example')
  publisherId = (await bench.call('publisher.create', owner, { name: 'Acme' })).id
  owner = await bench.again(owner)
  rival = await bench.person('rival@dev.example')
  rivalPublisherId = (await bench.call('publisher.create', rival, { name: 'Rival' })).id
  rival = await bench.again(rival)
})
afterAll(() => bench.close())

async function invite(email: string, role: string, by: PersonCaller = owner) {
  return bench.call('publisher_invitation.create', by, { publisherId, email, role })
}

/** A member with this role, by invitation. */
async function member(email: string, role: string): Promise<PersonCaller> {
  const person = await bench.person(email)
  const { token } = await invite(email, role)
  await bench.call('invitation.join', person, { token })
  return bench.again(person)
}

describe('a publisher', () => {
  test('is owned by whoever makes it', async () => {
    const { data } = await bench.call('publisher.list', owner, {})
    expect(data).toEqual([
      { id: publisherId, name: 'Acme', role: 'owner', createdAt: expect.stringMatching(/Z$/) },
    ])
    expect(owner.publishers).toEqual(new Map([[publisherId, 'owner']]))
  })

  test('is made by a person only, with a developer’s credential', async () => {
    const narrow = { ...owner, audiences: new Set(['merchant']) }
    expect((await bench.refusal('publisher.create', anonymous, { name: 'X' })).status).toBe(401)
    expect((await bench.refusal('publisher.create', narrow, { name: 'X' })).status).toBe(403)
    expect((await bench.refusal('publisher.create', owner, { name: '' })).status).toBe(400)
  })

  test('cannot be made by somebody who has too many', async () => {
    const person = await bench.person('collector@dev.example')
    const createdAt = toDate(bench.clock.nowMs())
    const publishers = Array.from({ length: limits.membershipsMax }, () => ({
      id: newId('publisher', bench.ids),
      name: 'X',
      createdBy: person.personId,
      createdAt,
    }))
    await bench.db.queries.publisher.createMany({ data: publishers })
    await bench.db.queries.publisherMembership.createMany({
      data: publishers.map(({ id }) => ({
        publisherId: id,
        personId: person.personId,
        role: 'owner',
        createdAt,
      })),
    })
    const problem = await bench.refusal('publisher.create', person, { name: 'One more' })
    expect(problem).toMatchObject({ status: 409, code: 'identity.too_many_memberships' })
    expect(await bench.db.queries.publisher.count({ where: { name: 'One more' } })).toBe(0)
    const page = await bench.call('publisher.list', person, { limit: 200 })
    expect(page).toMatchObject({ hasMore: true, nextCursor: page.data.at(-1).id })
    expect((await bench.call('me.get', person, {})).publishers).toHaveLength(limits.membershipsMax)
  })
})

describe('members', () => {
  test('are seen by owners, developers and viewers, not by ci', async () => {
    const viewer = await member('viewer@dev.example', 'viewer')
    const ci = await member('ci@dev.example', 'ci')
    const { data } = await bench.call('publisher_member.list', viewer, { publisherId })
    expect(data).toContainEqual({
      personId: owner.personId,
      displayName: 'owner',
      email: 'owner@dev.example',
      role: 'owner',
      joinedAt: expect.stringMatching(/Z$/),
    })
    expect(await bench.refusal('publisher_member.list', ci, { publisherId })).toMatchObject({ status: 403 })
  })

  test('are invited and removed by owners only', async () => {
    const developer = await member('developer@dev.example', 'developer')
    const input = { publisherId, email: 'x@dev.example', role: 'owner' }
    for (const [operationId, more] of [
      ['publisher_invitation.create', input],
      ['publisher_invitation.list', { publisherId }],
      ['publisher_invitation.withdraw', { publisherId, invitationId: newId('invitation', bench.ids) }],
      ['publisher_member.remove', { publisherId, personId: owner.personId }],
    ] as const) {
      expect(await bench.refusal(operationId, developer, more)).toMatchObject({
        status: 403,
        code: 'capability.role_required',
      })
    }
  })

  test('are gone with the next request after removal, and so are the links they left', async () => {
    const second = await member('second-owner@dev.example', 'owner')
    const { token } = await invite('friend@dev.example', 'owner', second)
    const answer = await bench.answer('publisher_member.remove', owner, {
      publisherId,
      personId: second.personId,
    })
    expect(answer.status).toBe(204)
    expect((await bench.again(second)).publishers).toEqual(new Map())
    const problem = await bench.refusal('invitation.inspect', anonymous, { token })
    expect(problem.code).toBe('identity.invitation_not_valid')
  })

  test('never lose their last owner', async () => {
    const input = { publisherId, personId: owner.personId }
    expect(await bench.refusal('publisher_member.remove', owner, input)).toMatchObject({
      status: 409,
      code: 'identity.last_owner',
    })
    const second = await member('third-owner@dev.example', 'owner')
    await bench.call('publisher_member.remove', owner, { publisherId, personId: second.personId })
  })

  test('keep one owner when two remove each other at once', async () => {
    const second = await member('fourth-owner@dev.example', 'owner')
    const results = await Promise.allSettled([
      bench.call('publisher_member.remove', owner, { publisherId, personId: second.personId }),
      bench.call('publisher_member.remove', second, { publisherId, personId: owner.personId }),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const left = await bench.db.queries.publisherMembership.findMany({
      where: { publisherId, role: 'owner' },
    })
    expect(left).toHaveLength(1)
    // The story goes on with the first owner.
    await bench.db.queries.publisherMembership.upsert({
      where: { publisherId_personId: { publisherId, personId: owner.personId } },
      create: {
        publisherId,
        personId: owner.personId,
        role: 'owner',
        createdAt: toDate(bench.clock.nowMs()),
      },
      update: {},
    })
  })
})

describe('another publisher', () => {
  test('is, word for word, one that does not exist', async () => {
    const missingId = newId('publisher', bench.ids)
    const personId = rival.personId
    const invitationId = newId('invitation', bench.ids)
    for (const [operationId, more] of [
      ['publisher_member.list', {}],
      ['publisher_member.remove', { personId }],
      ['publisher_invitation.create', { email: 'x@dev.example', role: 'viewer' }],
      ['publisher_invitation.list', {}],
      ['publisher_invitation.withdraw', { invitationId }],
    ] as const) {
      const foreign = await bench.refusal(operationId, owner, { publisherId: rivalPublisherId, ...more })
      const missing = await bench.refusal(operationId, owner, { publisherId: missingId, ...more })
      expect(foreign.status).toBe(404)
      expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
    }
  })

  test('has members who are, word for word, nobody here', async () => {
    const foreign = await bench.refusal('publisher_member.remove', owner, {
      publisherId,
      personId: rival.personId,
    })
    const missing = await bench.refusal('publisher_member.remove', owner, {
      publisherId,
      personId: newId('person', bench.ids),
    })
    expect(foreign).toMatchObject({ status: 404, code: 'identity.member_not_found' })
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
    expect((await bench.again(rival)).publishers.size).toBe(1)
  })

  test('has invitations that are, word for word, none of ours', async () => {
    const { id } = await bench.call('publisher_invitation.create', rival, {
      publisherId: rivalPublisherId,
      email: 'x@dev.example',
      role: 'viewer',
    })
    const foreign = await bench.refusal('publisher_invitation.withdraw', owner, {
      publisherId,
      invitationId: id,
    })
    const missing = await bench.refusal('publisher_invitation.withdraw', owner, {
      publisherId,
      invitationId: newId('invitation', bench.ids),
    })
    expect(foreign).toMatchObject({ status: 404, code: 'identity.invitation_not_found' })
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
    expect(await bench.db.queries.invitation.count({ where: { id } })).toBe(1)
  })
})

describe('an invitation to a publisher', () => {
  test('is listed without its link, and can be withdrawn', async () => {
    const { id, token } = await invite('listed@dev.example', 'viewer')
    const { data } = await bench.call('publisher_invitation.list', owner, { publisherId })
    const listed = data.find((invitation: { id: string }) => invitation.id === id)
    expect(listed).toEqual({
      id,
      email: 'listed@dev.example',
      role: 'viewer',
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    })
    await bench.call('publisher_invitation.withdraw', owner, { publisherId, invitationId: id })
    expect((await bench.refusal('invitation.inspect', anonymous, { token })).status).toBe(404)
  })

  test('does not tell whether the address has an account', async () => {
    const known = await invite('rival@dev.example', 'viewer')
    const unknown = await invite('unknown@dev.example', 'viewer')
    expect(Object.keys(known)).toEqual(Object.keys(unknown))
    expect((await bench.again(rival)).publishers.has(publisherId)).toBe(false)
  })

  test('made again takes the place of the one before', async () => {
    const first = await invite('again@dev.example', 'viewer')
    const second = await invite('AGAIN@dev.example', 'developer')
    expect((await bench.refusal('invitation.inspect', anonymous, { token: first.token })).status).toBe(404)
    const shown = await bench.call('invitation.inspect', anonymous, { token: second.token })
    expect(shown.role).toBe('developer')
  })

  test('lets a new person in with the address it was made for', async () => {
    const { token } = await invite('newcomer@dev.example', 'developer')
    const accepted = await bench.call('invitation.accept', anonymous, {
      token,
      password,
      displayName: 'Newcomer',
    })
    expect(accepted).toMatchObject({
      email: 'newcomer@dev.example',
      kind: 'publisher',
      publisherId,
      merchantId: null,
      role: 'developer',
    })
  })

  test('is refused when too many are open, until they have expired', async () => {
    const person = await bench.person('mailing-list@dev.example')
    const list = await bench.call('publisher.create', person, { name: 'Mailing list' })
    const sender = await bench.again(person)
    const expiresAt = toDate(bench.clock.nowMs() + 1000)
    await bench.db.queries.invitation.createMany({
      data: Array.from({ length: limits.invitationsOpenMax }, (_, index) => ({
        id: newId('invitation', bench.ids),
        hash: `open ${index}`,
        kind: 'publisher',
        targetId: list.id,
        role: 'viewer',
        email: `${index}@dev.example`,
        createdBy: person.personId,
        createdAt: toDate(bench.clock.nowMs()),
        expiresAt,
      })),
    })
    const input = { publisherId: list.id, email: 'more@dev.example', role: 'viewer' }
    expect(await bench.refusal('publisher_invitation.create', sender, input)).toMatchObject({
      status: 409,
      code: 'identity.too_many_invitations',
    })
    bench.clock.advance(1000)
    await bench.call('publisher_invitation.create', sender, input)
    expect(await bench.db.queries.invitation.count({ where: { targetId: list.id } })).toBe(1)
  })
})
