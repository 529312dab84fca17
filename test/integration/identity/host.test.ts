import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits, mintToken, newId } from '../../../src/kernel/index.ts'
import { anonymous, type Bench, host, openBench, password } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const accept = { password, displayName: 'New', locale: 'en' }

async function inviteToShop(merchantId: string, email: string, role = 'owner') {
  const { invitation } = await bench.call('merchant_member.create', host, { merchantId, email, role })
  return invitation
}

describe('a merchant', () => {
  test('is made and read by the host', async () => {
    const { status, output } = await bench.answer('merchant.create', host, {
      kind: 'organisation',
      name: 'Bakeries United',
      externalId: 'org-1',
    })
    expect(status).toBe(201)
    expect(output).toEqual({
      id: expect.stringMatching(/^mer_/),
      kind: 'organisation',
      name: 'Bakeries United',
      externalId: 'org-1',
      parentId: null,
      createdAt: expect.stringMatching(/Z$/),
    })
    const { id } = output as { id: string }
    expect(await bench.call('merchant.get', host, { merchantId: id })).toEqual(output)
    expect((await bench.call('merchant.list', host, { externalId: 'org-1' })).data).toEqual([output])
    expect((await bench.call('merchant.list', host, { externalId: 'none' })).data).toEqual([])
  })

  test('may have an organisation as its parent, and nothing else', async () => {
    const organisation = await bench.call('merchant.create', host, { kind: 'organisation', name: 'Chain' })
    const shop = await bench.call('merchant.create', host, {
      kind: 'shop',
      name: 'Branch',
      parentId: organisation.id,
    })
    expect(shop.parentId).toBe(organisation.id)
    for (const parentId of [shop.id, newId('merchant', bench.ids)]) {
      const input = { kind: 'shop', name: 'Stall', parentId }
      expect(await bench.refusal('merchant.create', host, input)).toMatchObject({
        status: 422,
        code: 'identity.parent_not_an_organisation',
      })
    }
  })

  test('is made once by a repeated import', async () => {
    const input = { kind: 'shop', name: 'Corner', externalId: 'shop-1' }
    const results = await Promise.all([
      bench.call('merchant.create', host, input),
      bench.call('merchant.create', host, input),
    ])
    expect(results[1]).toEqual(results[0])
    expect(await bench.db.queries.merchant.count({ where: { externalId: 'shop-1' } })).toBe(1)
    const problem = await bench.refusal('merchant.create', host, { ...input, name: 'Other' })
    expect(problem).toMatchObject({
      status: 409,
      code: 'identity.merchant_exists',
      merchantId: results[0].id,
    })
    expect((await bench.call('merchant.get', host, { merchantId: results[0].id })).name).toBe('Corner')
  })

  test('is listed page by page, each once', async () => {
    for (let i = 0; i < 5; i += 1) await bench.merchant(`Page ${i}`)
    const seen: string[] = []
    let after: string | null = null
    do {
      const page = await bench.call('merchant.list', host, { limit: 2, ...(after === null ? {} : { after }) })
      seen.push(...page.data.map(({ id }: { id: string }) => id))
      after = page.nextCursor
    } while (after !== null)
    expect(seen).toHaveLength(await bench.db.queries.merchant.count())
    expect(new Set(seen).size).toBe(seen.length)
  })

  test.each([
    ['of no known kind', { kind: 'stall', name: 'X' }, '/kind'],
    ['without a name', { kind: 'shop' }, '/name'],
    ['with an id that is none', { kind: 'shop', name: 'X', parentId: 'app_1' }, '/parentId'],
    ['with a blank externalId', { kind: 'shop', name: 'X', externalId: ' ' }, '/externalId'],
  ])('%s is refused with the place', async (_what, input, pointer) => {
    const problem = await bench.refusal('merchant.create', host, input)
    expect(problem.status).toBe(400)
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
  })

  test('belongs to the host alone', async () => {
    const person = await bench.person('nosy@dev.example')
    for (const [operationId, input] of [
      ['merchant.create', { kind: 'shop', name: 'X' }],
      ['merchant.list', {}],
      ['merchant.get', { merchantId: newId('merchant', bench.ids) }],
      ['staff.create', { email: 'nosy@dev.example', role: 'operator' }],
      ['staff.list', {}],
    ] as const) {
      expect((await bench.refusal(operationId, person, input)).status).toBe(403)
      expect((await bench.refusal(operationId, anonymous, input)).status).toBe(401)
    }
  })

  test('that does not exist is told so', async () => {
    const merchantId = newId('merchant', bench.ids)
    for (const [operationId, more] of [
      ['merchant.get', {}],
      ['merchant_member.list', {}],
      ['merchant_member.create', { email: 'a@shop.example', role: 'owner' }],
    ] as const) {
      expect(await bench.refusal(operationId, host, { merchantId, ...more })).toMatchObject({
        status: 404,
        code: 'identity.merchant_not_found',
      })
    }
  })
})

describe('an invitation', () => {
  test('makes person and membership together, and they can sign in', async () => {
    const merchantId = await bench.merchant('Tea House')
    const invitation = await inviteToShop(merchantId, 'Boss@tea.example')
    expect(invitation).toEqual({
      id: expect.stringMatching(/^inv_/),
      email: 'boss@tea.example',
      role: 'owner',
      link: `https://open.example/invitation?token=${invitation.token}`,
      token: expect.stringMatching(/^stoa_iv_/),
      expiresAt: expect.any(String),
    })
    expect(await bench.call('invitation.inspect', anonymous, { token: invitation.token })).toEqual({
      kind: 'merchant',
      name: 'Tea House',
      role: 'owner',
      email: 'boss@tea.example',
      expiresAt: invitation.expiresAt,
    })
    const { status, output } = await bench.answer('invitation.accept', anonymous, {
      token: invitation.token,
      ...accept,
    })
    expect(status).toBe(201)
    expect(output).toEqual({
      personId: expect.stringMatching(/^per_/),
      email: 'boss@tea.example',
      kind: 'merchant',
      publisherId: null,
      merchantId,
      role: 'owner',
    })
    const { data } = await bench.call('merchant_member.list', host, { merchantId })
    expect(data).toMatchObject([{ email: 'boss@tea.example', role: 'owner', displayName: 'New' }])
    await bench.call('personal_token.create', anonymous, {
      email: 'boss@tea.example',
      password,
      name: 'x',
      audiences: ['merchant'],
    })
    expect(JSON.stringify(await bench.db.queries.invitation.findMany())).not.toContain(invitation.token)
  })

  test('works once; used, expired, withdrawn, unknown and garbled ones are answered alike', async () => {
    const merchantId = await bench.merchant('Once')
    const used = await inviteToShop(merchantId, 'used@shop.example')
    await bench.call('invitation.accept', anonymous, { token: used.token, ...accept })
    const withdrawn = await inviteToShop(merchantId, 'withdrawn@shop.example')
    await bench.call('host_invitation.withdraw', host, { invitationId: withdrawn.id })
    const expired = await inviteToShop(merchantId, 'expired@shop.example')
    bench.clock.advance(limits.invitationMs - 1000)
    await bench.call('invitation.inspect', anonymous, { token: expired.token })
    bench.clock.advance(1000)

    const person = await bench.person('late@dev.example')
    const tokens = [
      used.token,
      withdrawn.token,
      expired.token,
      mintToken('invitation', bench.ids.random),
      'x',
    ]
    const problems = []
    for (const token of tokens) {
      problems.push(await bench.refusal('invitation.inspect', anonymous, { token }))
      problems.push(await bench.refusal('invitation.accept', anonymous, { token, ...accept }))
      problems.push(await bench.refusal('invitation.join', person, { token }))
    }
    expect(problems[0]).toMatchObject({ status: 404, code: 'identity.invitation_not_valid' })
    expect(new Set(problems.map((problem) => JSON.stringify(problem))).size).toBe(1)
    expect(await bench.db.queries.merchantMembership.count({ where: { merchantId } })).toBe(1)
  })

  test('accepted twice at once makes one person', async () => {
    const merchantId = await bench.merchant('Race')
    const { token } = await inviteToShop(merchantId, 'race@shop.example')
    const stranger = await bench.person('racer@dev.example')
    const results = await Promise.allSettled([
      bench.call('invitation.accept', anonymous, { token, ...accept }),
      bench.call('invitation.accept', anonymous, { token, ...accept }),
      bench.call('invitation.join', stranger, { token }),
    ])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'identity.invitation_not_valid' })
    }
    expect(await bench.db.queries.merchantMembership.count({ where: { merchantId } })).toBe(1)
  })

  test('stays open when accepting fails half-way', async () => {
    const merchantId = await bench.merchant('Half-way')
    await bench.person('registered@shop.example')
    const { token } = await inviteToShop(merchantId, 'registered@shop.example')
    const problem = await bench.refusal('invitation.accept', anonymous, { token, ...accept })
    expect(problem).toMatchObject({ status: 409, code: 'identity.email_taken' })
    expect((await bench.call('invitation.inspect', anonymous, { token })).name).toBe('Half-way')
    expect(await bench.db.queries.merchantMembership.count({ where: { merchantId } })).toBe(0)
  })

  test('cannot be wasted by somebody who is a member already', async () => {
    const merchantId = await bench.merchant('Wasted')
    const person = await bench.person('member@dev.example')
    const first = await inviteToShop(merchantId, 'first@shop.example', 'owner')
    await bench.call('invitation.join', person, { token: first.token })
    const second = await inviteToShop(merchantId, 'second@shop.example', 'staff')
    expect(await bench.refusal('invitation.join', person, { token: second.token })).toMatchObject({
      status: 409,
      code: 'identity.already_member',
    })
    expect((await bench.again(person)).merchants.get(merchantId)).toBe('owner')
    await bench.call('invitation.accept', anonymous, { token: second.token, ...accept })
  })

  test('needs a good password before anything is written', async () => {
    const merchantId = await bench.merchant('Password')
    const { token } = await inviteToShop(merchantId, 'weak@shop.example')
    const input = { token, ...accept, password: 'short' }
    expect(await bench.refusal('invitation.accept', anonymous, input)).toMatchObject({ status: 400 })
    await bench.call('invitation.inspect', anonymous, { token })
  })
})

describe('a member by address', () => {
  test('who only registered it gets nothing but a link', async () => {
    const merchantId = await bench.merchant('Squatted')
    const squatter = await bench.person('boss@squatted.example')
    const admission = await bench.call('merchant_member.create', host, {
      merchantId,
      email: 'boss@squatted.example',
      role: 'owner',
    })
    expect(admission).toMatchObject({ member: null, invitation: { email: 'boss@squatted.example' } })
    expect((await bench.again(squatter)).merchants.size).toBe(0)
    const publisherInvitee = await bench.call('publisher.create', squatter, { name: 'Self-made' })
    const own = await bench.call('publisher_invitation.create', await bench.again(squatter), {
      publisherId: publisherInvitee.id,
      email: 'other@squatted.example',
      role: 'owner',
    })
    await bench.call('invitation.accept', anonymous, { token: own.token, ...accept })
    const other = await bench.call('merchant_member.create', host, {
      merchantId,
      email: 'other@squatted.example',
      role: 'owner',
    })
    expect(other.member).toBeNull()
  })

  test('whom the host has vouched for becomes one at once, with the role named last', async () => {
    const first = await bench.merchant('First')
    const second = await bench.merchant('Second')
    const { token } = await inviteToShop(first, 'trusted@shop.example')
    const { personId } = await bench.call('invitation.accept', anonymous, { token, ...accept })
    const input = { merchantId: second, email: 'Trusted@shop.example' }
    const { status, output } = await bench.answer('merchant_member.create', host, {
      ...input,
      role: 'staff',
    })
    expect(status).toBe(201)
    expect(output).toEqual({ member: { personId, displayName: 'New', role: 'staff' }, invitation: null })
    await bench.call('merchant_member.create', host, { ...input, role: 'manager' })
    expect((await bench.call('merchant_member.list', host, { merchantId: second })).data).toMatchObject([
      { personId, role: 'manager' },
    ])
  })

  test('is removed at once', async () => {
    const merchantId = await bench.merchant('Leaving')
    const { token } = await inviteToShop(merchantId, 'leaving@shop.example')
    const { personId } = await bench.call('invitation.accept', anonymous, { token, ...accept })
    expect((await bench.answer('merchant_member.remove', host, { merchantId, personId })).status).toBe(204)
    expect((await bench.call('merchant_member.list', host, { merchantId })).data).toEqual([])
    expect(await bench.refusal('merchant_member.remove', host, { merchantId, personId })).toMatchObject({
      status: 404,
      code: 'identity.member_not_found',
    })
  })
})

describe('staff', () => {
  test('comes by invitation, and by name alone once the host has vouched', async () => {
    const { invitation } = await bench.call('staff.create', host, {
      email: 'rev@host.example',
      role: 'reviewer',
    })
    expect(await bench.call('invitation.inspect', anonymous, { token: invitation.token })).toMatchObject({
      kind: 'platform',
      name: null,
      role: 'reviewer',
    })
    const accepted = await bench.call('invitation.accept', anonymous, { token: invitation.token, ...accept })
    expect(accepted).toMatchObject({ kind: 'platform', publisherId: null, merchantId: null })
    const { personId } = accepted
    for (const role of ['operator', 'reviewer']) {
      const { member } = await bench.call('staff.create', host, { email: 'rev@host.example', role })
      expect(member).toMatchObject({ personId, role })
    }
    expect((await bench.call('staff.list', host, {})).data).toEqual([
      { personId, displayName: 'New', email: 'rev@host.example', roles: ['operator', 'reviewer'] },
    ])
  })

  test('loses one role at a time, at once', async () => {
    const { data } = await bench.call('staff.list', host, {})
    const { personId } = data[0]
    await bench.call('staff.remove', host, { personId, role: 'operator' })
    expect((await bench.call('staff.list', host, {})).data[0].roles).toEqual(['reviewer'])
    expect(await bench.refusal('staff.remove', host, { personId, role: 'operator' })).toMatchObject({
      status: 404,
      code: 'identity.member_not_found',
    })
  })

  test('may be invited to both roles at the same time', async () => {
    const email = 'both@host.example'
    const reviewer = await bench.call('staff.create', host, { email, role: 'reviewer' })
    const operator = await bench.call('staff.create', host, { email, role: 'operator' })
    await bench.call('invitation.inspect', anonymous, { token: reviewer.invitation.token })
    await bench.call('invitation.inspect', anonymous, { token: operator.invitation.token })
  })
})

describe('an invitation of the host', () => {
  test('is withdrawn by the host; one of a publisher is none of the host’s', async () => {
    const merchantId = await bench.merchant('Withdraw')
    const { id } = await inviteToShop(merchantId, 'gone@shop.example')
    expect((await bench.answer('host_invitation.withdraw', host, { invitationId: id })).status).toBe(204)
    const missing = await bench.refusal('host_invitation.withdraw', host, { invitationId: id })
    expect(missing).toMatchObject({ status: 404, code: 'identity.invitation_not_found' })

    const person = await bench.person('pub-owner@dev.example')
    const publisher = await bench.call('publisher.create', person, { name: 'Own' })
    const own = await bench.call('publisher_invitation.create', await bench.again(person), {
      publisherId: publisher.id,
      email: 'x@dev.example',
      role: 'viewer',
    })
    const foreign = await bench.refusal('host_invitation.withdraw', host, { invitationId: own.id })
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
  })
})
