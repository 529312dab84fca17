import { describe, expect, test } from 'vitest'
import { orderCapability } from '../../../src/capabilities/order/index.ts'
import type { Scope } from '../../../src/capability/index.ts'
import { type ConsentManifest, decide, toQuestion } from '../../../src/install/consent.ts'
import { next } from '../../../src/install/installation.ts'
import { resolveVersion } from '../../../src/install/resolve-version.ts'

const scopes = new Map<string, Scope>(orderCapability.scopes.map((scope) => [scope.name, scope]))
const asked = (name: string, purpose: Record<string, string> = { en: 'why', 'zh-CN': '原因' }) => ({
  name,
  purpose,
})
const manifest: ConsentManifest = {
  stoa_scopes: {
    required: [asked('order:read')],
    optional: [asked('order:write'), asked('customer:read', { en: 'to greet' })],
  },
}
const question = toQuestion(manifest, scopes, new Set())

describe('the question', () => {
  test('is in the platform’s words, with the developer’s reason beside them', () => {
    expect(question.required).toEqual([
      {
        scope: 'order:read',
        title: { en: 'See orders', 'zh-CN': '查看订单' },
        consent: scopes.get('order:read')?.consent,
        purpose: { en: 'why', 'zh-CN': '原因' },
        dataCategory: 'orders',
        sensitivity: 'protected',
        granted: false,
      },
    ])
  })

  test('gives the English reason where there is no other', () => {
    expect(question.optional[1]?.purpose).toEqual({ en: 'to greet', 'zh-CN': 'to greet' })
  })

  test('does not ask for a scope that the platform has withdrawn', () => {
    const withdrawn = toQuestion({ stoa_scopes: { required: [asked('gone:read')] } }, scopes, new Set())
    expect(withdrawn).toEqual({ required: [], optional: [] })
  })

  test('of a manifest without scopes is empty', () => {
    expect(toQuestion({}, scopes, new Set())).toEqual({ required: [], optional: [] })
  })

  test('marks what was granted before', () => {
    const { required, optional } = toQuestion(manifest, scopes, new Set(['order:write', 'storage:all']))
    expect([...required, ...optional].filter(({ granted }) => granted).map(({ scope }) => scope)).toEqual([
      'order:write',
    ])
  })
})

describe('the decision', () => {
  test.each<[readonly string[], readonly string[], readonly string[]]>([
    [[], ['order:read'], ['customer:read', 'order:write']],
    [['order:write'], ['order:read', 'order:write'], ['customer:read']],
    [['order:write', 'customer:read'], ['customer:read', 'order:read', 'order:write'], []],
  ])('with %j chosen', (chosen, granted, refused) => {
    expect(decide(question, chosen)).toEqual({ granted, refused, unknown: [] })
  })

  test('names what was chosen and not offered, a required one included, and grants none of it', () => {
    const decision = decide(question, ['order:read', 'storage:all'])
    expect(decision).toEqual({
      granted: ['order:read'],
      refused: ['customer:read', 'order:write'],
      unknown: ['order:read', 'storage:all'],
    })
  })
})

describe('an installation', () => {
  test.each([
    ['none', 'accept', 'active'],
    ['active', 'accept', 'active'],
    ['active', 'uninstall', 'uninstalled'],
  ] as const)('%s → %s → %s', (state, action, after) => {
    expect(next(state, action)).toBe(after)
  })

  test.each([
    ['none', 'uninstall'],
    ['uninstalled', 'accept'],
    ['uninstalled', 'uninstall'],
  ] as const)('that is %s cannot %s', (state, action) => {
    expect(() => next(state, action)).toThrow(expect.objectContaining({ code: 'install.bad_transition' }))
  })
})

describe('the version an installation runs', () => {
  const version = (name: string, ...required: string[]) => ({
    name,
    manifest: { stoa_scopes: { required: required.map((scope) => asked(scope)) } },
  })
  const released = [version('3', 'order:read', 'customer:read'), version('2', 'order:read'), version('1')]

  test.each<[readonly string[], string | undefined]>([
    [['order:read', 'customer:read', 'order:write'], '3'],
    [['order:read'], '2'],
    [['customer:read'], '1'],
    [[], '1'],
  ])('with %j granted is the newest that asks for no more', (granted, name) => {
    expect(resolveVersion(released, new Set(granted))?.name).toBe(name)
  })

  test('is none when every release asks for more', () => {
    expect(resolveVersion([version('1', 'order:read')], new Set())).toBeNull()
    expect(resolveVersion([], new Set(['order:read']))).toBeNull()
  })
})
