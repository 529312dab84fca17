import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IdentityProvider, ProviderAccount } from '../../support/identity-provider.ts'
import { type TestPerson, type TestPlatform, testPassword } from '../../support/platform.ts'
import { makeStory } from '../../support/story.ts'
import { account, buttonOf, openProviderBench, type ProviderBench, pathOf } from './provider-bench.ts'

let bench: ProviderBench
let at: TestPlatform
let provider: IdentityProvider

beforeAll(async () => {
  bench = await openProviderBench()
  ;({ at, provider } = bench)
})
afterAll(() => bench.close())

describe('an address at the provider', () => {
  test('that is not verified is not taken over, whoever has it here', async () => {
    const victim = await at.person({ email: 'victim@shop.example' })
    const { browser } = await bench.signIn(account({ email: 'Victim@shop.example', email_verified: false }))
    const me = await bench.meOf(browser)
    expect(me?.id).not.toBe(victim.personId)
    expect(me?.email).toBeNull()
  })

  test('that somebody has here leads to a choice, and to nobody’s account', async () => {
    const owner = await at.person({ email: 'owner@shop.example' })
    const somebody = account({ email: 'owner@shop.example' })
    const { browser, answer } = await bench.signIn(somebody, '?return_to=%2Fm')
    expect([answer.status, browser.cookie('stoa_session')]).toEqual([409, undefined])
    expect(answer.html).toContain('Your email address has an account here already')
    expect(answer.html).toContain('href="/sign-in?return_to=%2Fm"')
    const onward = await browser.submitTo(answer, '/sign-in/oidc')
    const href = buttonOf(onward)
    const done = await browser.open(pathOf(await provider.visit(href)))
    expect([done.status, done.location]).toEqual([303, '/m'])
    const me = await bench.meOf(browser)
    expect([me?.email, me?.id === owner.personId]).toEqual([null, false])
  })

  test('is connected by who is signed in, with their password', async () => {
    const person = await at.person()
    const browser = at.browser(person)
    const page = await browser.open('/account')
    const wrong = await browser.submitTo(page, '/account/provider', { own_password: 'no' })
    expect([wrong.status, wrong.html.includes('Your current password is wrong.')]).toEqual([403, true])
    const onward = await browser.submitTo(page, '/account/provider', { own_password: testPassword })
    const href = buttonOf(onward)
    const somebody = account()
    provider.account = somebody
    const linked = await browser.open(pathOf(await provider.visit(href)))
    expect([linked.status, linked.location]).toEqual([303, '/account?done=provider'])
    const { browser: again } = await bench.signIn(somebody)
    expect((await bench.meOf(again))?.id).toBe(person.personId)

    const other = await at.person()
    const second = at.browser(other)
    const offer = await second.submitTo(await second.open('/account'), '/account/provider', {
      own_password: testPassword,
    })
    const taken = buttonOf(offer)
    const refused = await second.open(pathOf(await provider.visit(taken)))
    expect([refused.status, refused.html.includes('identity.provider_account_taken')]).toEqual([409, true])
  })

  test('is not connected to whoever signed in meanwhile', async () => {
    const [person, other] = [await at.person(), await at.person()]
    const browser = at.browser(person)
    const onward = await browser.submitTo(await browser.open('/account'), '/account/provider', {
      own_password: testPassword,
    })
    const href = buttonOf(onward)
    provider.account = account()
    const back = await provider.visit(href)
    browser.plant('stoa_session', other.session)
    const answer = await browser.open(pathOf(back))
    expect(answer.status).toBe(401)
    expect(
      await at.db.queries.signIn.count({
        where: { kind: 'oidc', personId: { in: [person.personId, other.personId] } },
      }),
    ).toBe(0)
  })

  test('is disconnected by the password, and not when it is the only way in', async () => {
    const somebody = account()
    const { browser } = await bench.signIn(somebody)
    const page = await browser.open('/account')
    const path = /\/account\/provider\/sgn_\w+\/remove/.exec(page.html)?.[0] ?? ''
    const last = await browser.submitTo(page, path)
    expect([last.status, last.html.includes('your only way to sign in')]).toEqual([409, true])
    await browser.submitTo(page, '/account/password', { new_password: 'quite another long password' })
    const done = await browser.submitTo(await browser.open('/account'), path, {
      own_password: 'quite another long password',
    })
    expect(done.location).toBe('/account?done=provider-removed')
  })

  test('leads by itself only to somebody the host has vouched for, and only where the operator wants it', async () => {
    const linking = await openProviderBench({ linkByEmail: true })
    const { at: there } = linking
    const story = makeStory(there)
    const { merchantId } = await story.merchant()
    const vouched = await there.person({ email: 'vouched@shop.example' })
    await story.member(merchantId, 'staff', vouched)
    const squatter = await there.person({ email: 'squatted@shop.example' })
    const enter = async (as: ProviderAccount) => {
      const { browser, answer } = await linking.signIn(as)
      return { answer, me: await linking.meOf(browser) }
    }
    expect((await enter(account({ email: 'vouched@shop.example' }))).me?.id).toBe(vouched.personId)
    const squatted = await enter(account({ email: 'squatted@shop.example' }))
    expect([squatted.answer.status, squatted.me]).toEqual([409, null])
    const unverified = await enter(account({ email: 'vouched@shop.example', email_verified: false }))
    expect(unverified.me?.id).not.toBe(vouched.personId)
    expect(squatter.personId).not.toBe(unverified.me?.id)
    await linking.close()
  })
})

describe('roles follow the groups', () => {
  async function shop(externalId: string): Promise<string> {
    const { id } = await at.host.call<{ id: string }>('POST', '/host/v1/merchants', {
      ...{ kind: 'shop', name: 'Green Leaf Tea', externalId },
    })
    return id
  }
  const rolesOf = async (somebody: ProviderAccount, groups: readonly string[]) => {
    const { browser } = await bench.signIn({ ...somebody, groups })
    const me = await bench.meOf(browser)
    return {
      me,
      platform: me?.platformRoles,
      merchants: me?.merchants.map(({ merchantId, role }) => [merchantId, role]),
    }
  }

  test('of the platform’s staff, there and away again', async () => {
    const somebody = account()
    expect((await rolesOf(somebody, ['reviewers', 'tea-drinkers'])).platform).toEqual(['reviewer'])
    expect((await rolesOf(somebody, ['operators', 'reviewers'])).platform).toEqual(['operator', 'reviewer'])
    expect((await rolesOf(somebody, ['operators'])).platform).toEqual(['operator'])
    expect((await rolesOf(somebody, [])).platform).toEqual([])
  })

  test('of merchants by the host’s own ids, the highest of several', async () => {
    const [one, two] = [await shop('north'), await shop('south')]
    const somebody = account()
    expect((await rolesOf(somebody, ['shop-north-staff', 'shop-nowhere-owners'])).merchants).toEqual([
      [one, 'staff'],
    ])
    const both = await rolesOf(somebody, ['shop-north-staff', 'shop-north-owners', 'shop-south-staff'])
    expect(both.merchants).toEqual(
      [
        [one, 'owner'],
        [two, 'staff'],
      ].sort(),
    )
    expect((await rolesOf(somebody, ['shop-south-staff'])).merchants).toEqual([[two, 'staff']])
    expect((await rolesOf(somebody, [])).merchants).toEqual([])
  })

  test('and leave alone what the host itself has given', async () => {
    const merchantId = await shop('east')
    const somebody = account()
    const { me } = await rolesOf(somebody, ['reviewers', 'shop-east-owners'])
    const person = { personId: me?.id ?? '', email: somebody.email ?? '' } as TestPerson
    const given = makeStory(at)
    // Vouched for from here on: what the host gives now is a role of its own.
    await at.db.queries.invitation.create({
      data: {
        ...{
          id: `inv_${person.personId}`,
          hash: person.personId,
          kind: 'platform',
          role: 'reviewer',
          email: person.email,
        },
        ...{
          createdAt: new Date(),
          expiresAt: new Date(),
          acceptedAt: new Date(),
          acceptedBy: person.personId,
        },
      },
    })
    await given.member(merchantId, 'staff', person)
    await at.host.call('POST', '/host/v1/staff', { email: person.email, role: 'reviewer' })
    const after = await rolesOf(somebody, [])
    expect([after.platform, after.merchants]).toEqual([['reviewer'], [[merchantId, 'staff']]])
    const more = await rolesOf(somebody, ['shop-east-owners', 'operators'])
    expect([more.platform, more.merchants]).toEqual([['operator', 'reviewer'], [[merchantId, 'staff']]])
  })

  test('and end when the account at the provider is disconnected', async () => {
    const { browser } = await bench.signIn(account({ groups: ['operators'] }))
    await browser.submitTo(await browser.open('/account'), '/account/password', {
      new_password: 'quite another long password',
    })
    const page = await browser.open('/account')
    const path = /\/account\/provider\/sgn_\w+\/remove/.exec(page.html)?.[0] ?? ''
    await browser.submitTo(page, path, { own_password: 'quite another long password' })
    expect((await bench.meOf(browser))?.platformRoles).toEqual([])
  })
})
