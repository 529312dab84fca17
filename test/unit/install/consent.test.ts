import { describe, expect, test } from 'vitest'
import { orderCapability } from '../../../src/capabilities/order/index.ts'
import type { EventType, Scope } from '../../../src/capability/index.ts'
import { type ConsentContext, decide, toQuestion } from '../../../src/install/consent.ts'
import type { ConsentManifest, ScopeAsked } from '../../../src/install/consent-manifest.ts'
import { next } from '../../../src/install/installation.ts'
import { resolveVersion } from '../../../src/install/resolve-version.ts'

const scopes = new Map<string, Scope>(orderCapability.scopes.map((scope) => [scope.name, scope]))
const eventTypes = new Map<string, EventType>(orderCapability.eventTypes.map((event) => [event.type, event]))
const context: ConsentContext = { scopes, eventTypes, granted: new Set(), agreed: null }
const asked = (name: string, more: Partial<ScopeAsked> = {}): ScopeAsked => ({
  name,
  purpose: { en: 'why', 'zh-CN': '原因' },
  ...more,
})
const manifest: ConsentManifest = {
  stoa_scopes: {
    required: [asked('order:read')],
    optional: [asked('order:write'), asked('customer:read', { purpose: { en: 'to greet' } })],
  },
  stoa_events: [{ type: 'order.paid' }],
}
const question = toQuestion(manifest, context)
const others = [{ name: 'Cards & Co', country: 'CN', role: 'entrusted' as const }]

describe('the question', () => {
  test('is in the platform’s words, with what the developer says beside them', () => {
    const read = scopes.get('order:read')
    expect(question.required).toEqual([
      {
        scope: 'order:read',
        title: { en: 'See orders', 'zh-CN': '查看订单' },
        consent: read?.consent,
        dataCategory: 'orders',
        sensitivity: 'protected',
        access: 'read',
        fields: read?.fields,
        events: [{ en: 'An order was paid', 'zh-CN': '订单已付款' }],
        developer: {
          purpose: { en: 'why', 'zh-CN': '原因' },
          justification: null,
          without: null,
          retentionDays: null,
          recipients: null,
        },
        separate: false,
        granted: false,
      },
    ])
  })

  test('gives the English reason where there is no other', () => {
    expect(question.optional[1]?.developer.purpose).toEqual({ en: 'to greet', 'zh-CN': 'to greet' })
  })

  test('tells an event to each scope that shows something of it', () => {
    expect(question.optional.map(({ scope, events }) => [scope, events.length])).toEqual([
      ['order:write', 0],
      ['customer:read', 1],
    ])
  })

  test('takes the W3C’s reason of a permission where the scope has no justification of its own', () => {
    const { required } = toQuestion(
      {
        req_permissions: [
          { name: 'order:read', reason: 'Kitchens need slips' },
          { name: 'order:write', reason: 'Unused' },
        ],
        stoa_scopes: {
          required: [asked('order:read'), asked('order:write', { justification: { en: 'Own' } })],
        },
      },
      context,
    )
    expect(required.map(({ developer }) => developer.justification?.en)).toEqual([
      'Kitchens need slips',
      'Own',
    ])
  })

  test('does not ask for a scope that the platform has withdrawn', () => {
    const withdrawn = toQuestion({ stoa_scopes: { required: [asked('gone:read')] } }, context)
    expect(withdrawn).toEqual({ required: [], optional: [], bounds: [], changes: [] })
  })

  test('of a manifest without scopes is empty', () => {
    expect(toQuestion({}, context)).toEqual({ required: [], optional: [], bounds: [], changes: [] })
  })

  test('marks what was granted before', () => {
    const granted = new Set(['order:write', 'storage:all'])
    const { required, optional } = toQuestion(manifest, { ...context, granted })
    const marked = [...required, ...optional].filter((row) => row.granted)
    expect(marked.map(({ scope }) => scope)).toEqual(['order:write'])
  })

  test.each<[string, ScopeAsked, boolean]>([
    ['business data that stays with the publisher', asked('order:read', { recipients: [] }), false],
    ['business data of which nothing is said', asked('order:read'), false],
    ['business data that goes to somebody else', asked('order:read', { recipients: others }), true],
    ['customers’ personal data', asked('customer:read', { recipients: [] }), true],
  ])('asks for %s separately: %#', (_what, scope, separate) => {
    expect(toQuestion({ stoa_scopes: { required: [scope] } }, context).required).toMatchObject([{ separate }])
  })
})

describe('what differs from before', () => {
  const changesTo = (now: ConsentManifest, granted: readonly string[] = ['order:read']) =>
    toQuestion(now, { ...context, agreed: manifest, granted: new Set(granted) }).changes.map((change) =>
      change.kind === 'removed' ? [change.kind, change.scope] : [change.kind, change.row.scope],
    )

  test('is nothing at the first installation, and nothing when the same is asked', () => {
    expect(question.changes).toEqual([])
    expect(changesTo(manifest)).toEqual([])
  })

  test('is a scope that is new, and one that is not asked for any more', () => {
    const now = { stoa_scopes: { required: [asked('order:read')], optional: [asked('order:write')] } }
    expect(changesTo(now)).toEqual([['removed', 'customer:read']])
    const before = { ...context, agreed: now, granted: new Set(['order:read']) }
    expect(toQuestion(manifest, before).changes).toMatchObject([
      { kind: 'added', required: false, row: { scope: 'customer:read' } },
    ])
  })

  test('is a choice that became a need, unless it was granted anyway', () => {
    const now = { stoa_scopes: { required: [asked('order:read'), asked('order:write')] } }
    const gone = ['removed', 'customer:read']
    expect(changesTo(now)).toEqual([['now_required', 'order:write'], gone])
    expect(changesTo(now, ['order:read', 'order:write'])).toEqual([gone])
  })

  test.each<[string, Partial<ScopeAsked>]>([
    ['purpose', { purpose: { en: 'to sell it' } }],
    ['justification', { justification: { en: 'because' } }],
    ['retentionDays', { retention_days: 365 }],
    ['recipients', { recipients: others }],
  ])('is another %s of the same scope', (what, more) => {
    const { optional = [] } = manifest.stoa_scopes ?? {}
    const now = { ...manifest, stoa_scopes: { required: [asked('order:read', more)], optional } }
    expect(toQuestion(now, { ...context, agreed: manifest }).changes).toMatchObject([
      { kind: 'restated', what: [what], row: { scope: 'order:read' } },
    ])
  })
})

describe('the decision', () => {
  test.each<[readonly string[], readonly string[], readonly string[], readonly string[]]>([
    [[], ['order:read'], ['customer:read', 'order:write'], []],
    [['order:write'], ['order:read', 'order:write'], ['customer:read'], []],
    [['order:write', 'customer:read'], ['customer:read', 'order:read', 'order:write'], [], ['customer:read']],
  ])('with %j chosen', (optional, granted, refused, separate) => {
    const decision = decide(question, { optional, separate: [] })
    expect(decision).toEqual({ granted, refused, separate, unknown: [], missing: [] })
  })

  test('names what was chosen and not offered, a required one included, and grants none of it', () => {
    const decision = decide(question, { optional: ['order:read', 'storage:all'], separate: ['order:write'] })
    expect(decision).toMatchObject({
      granted: ['order:read'],
      refused: ['customer:read', 'order:write'],
      unknown: ['order:read', 'storage:all', 'order:write'],
    })
  })

  test('misses a needed scope that has to be agreed to separately, until it is', () => {
    const strict = toQuestion({ stoa_scopes: { required: [asked('customer:read')] } }, context)
    expect(decide(strict, { optional: [], separate: [] }).missing).toEqual(['customer:read'])
    expect(decide(strict, { optional: ['customer:read'], separate: [] }).missing).toEqual(['customer:read'])
    expect(decide(strict, { optional: [], separate: ['customer:read'] })).toMatchObject({
      ...{ missing: [], separate: ['customer:read'], granted: ['customer:read'] },
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
