import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProgramCheck } from '../../../runtime/node/index.ts'
import type { AppClass, Manifest, ScopeRequest } from '../../../runtime/package/index.ts'
import { type CheckSubject, runAutomaticChecks } from '../../../src/review/automatic-checks/index.ts'
import { type Finding, inOrder, quoted } from '../../../src/review/finding.ts'

const manifest: Manifest = {
  app_id: 'com.example',
  name: 'x',
  icons: [],
  pages: [],
  platform_version: { min_code: 1 },
  version: { code: 1, name: '1.0.0' },
  stoa_events: [
    { type: 'order.created', version: 1 },
    { type: 'order.paid', version: 1 },
  ],
}

const sensitivities = new Map([
  ['order:read', 'protected'],
  ['theme:read', 'basic'],
] as const)

function subject(result: ProgramCheck | null, appClass: AppClass = 'mini-program'): CheckSubject {
  const handlers = result === null ? null : { path: 'handlers.js', result }
  return { appClass, manifest, sensitivities, handlers }
}

function loaded(...handlerTypes: readonly string[]): ProgramCheck {
  return { ok: true, handlerTypes, logs: '' }
}

function rulesOf(findings: readonly Finding[]) {
  return findings.map(({ ruleId, severity, pointer }) => `${severity} ${ruleId} ${pointer}`)
}

test('a handler for each event and no other is what is wanted', () => {
  expect(runAutomaticChecks(subject(loaded('order.paid', 'order.created')))).toEqual([])
})

test('a package without handlers is not asked for them', () => {
  expect(runAutomaticChecks(subject(null, 'backend'))).toEqual([])
})

test('a bundle that does not load is a blocker at its line, and its handlers are not guessed at', () => {
  const problem = { code: 'sandbox.load_failed', message: 'x is not defined', line: 7 } as const
  const findings = runAutomaticChecks(subject({ ok: false, problem }))
  expect(rulesOf(findings)).toEqual(['blocker handlers.boot /stoa_handlers'])
  expect(findings[0]).toMatchObject({ path: 'handlers.js', line: 7 })
})

test('an event without a handler is lost for a mini-program and only noted where a backend may take it', () => {
  const rule = 'handlers.event_unhandled /stoa_events/0'
  expect(rulesOf(runAutomaticChecks(subject(loaded('order.paid'))))).toEqual([`warning ${rule}`])
  expect(rulesOf(runAutomaticChecks(subject(loaded('order.paid'), 'both')))).toEqual([`info ${rule}`])
})

test('a handler for an event that is not asked for is named', () => {
  const findings = runAutomaticChecks(subject(loaded('order.created', 'order.paid', 'order.payed')))
  expect(rulesOf(findings)).toEqual(['warning handlers.event_undeclared /stoa_events'])
  expect(findings[0]?.message).toContain('“order.payed”')
})

test('foreign text in a message can be stored, shown and is never long', () => {
  const text = string({ unit: 'binary', maxLength: 2_000 })
  assert(
    property(text, (foreign) => {
      const shown = quoted(foreign)
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      expect(shown.length).toBeLessThanOrEqual(11_000)
    }),
  )
  expect(quoted('a\0b\u202Ec\ud800')).toBe('a\\u{0}b\\u{202e}c\ufffd')
})

test('findings are shown worst first', () => {
  const finding = { message: '', pointer: null, path: null, line: null }
  const found: readonly Finding[] = [
    { ...finding, ruleId: 'b', severity: 'info' },
    { ...finding, ruleId: 'b', severity: 'blocker' },
    { ...finding, ruleId: 'a', severity: 'warning' },
    { ...finding, ruleId: 'a', severity: 'blocker' },
  ]
  expect(inOrder(found).map(({ severity, ruleId }) => `${severity} ${ruleId}`)).toEqual([
    'blocker a',
    'blocker b',
    'warning a',
    'info b',
  ])
})

describe('what the consent page has a place for', () => {
  const told = {
    purpose: { en: 'x', 'zh-CN': 'x' },
    justification: { en: 'x', 'zh-CN': 'x' },
    without: { en: 'x', 'zh-CN': 'x' },
    retention_days: 0,
    recipients: [],
  }
  const whole = {
    stoa_purpose: { en: 'x' },
    stoa_publisher: { country: 'CN', contact: 'x' },
    stoa_scopes: {
      required: [{ name: 'order:read', ...told }],
      optional: [{ name: 'theme:read', ...told }],
    },
  }
  const findingsOf = (members: Partial<Manifest>, appClass: AppClass = 'backend') =>
    rulesOf(
      runAutomaticChecks({
        ...{ appClass, handlers: null, sensitivities },
        manifest: { ...manifest, stoa_events: [], ...members },
      }),
    )

  test('and is stated is what is wanted, and who asks for nothing need not state anything', () => {
    expect(findingsOf(whole)).toEqual([])
    expect(findingsOf({})).toEqual([])
  })

  test('is warned about, one finding per omission', () => {
    const { purpose } = told
    const required = [{ name: 'order:read', purpose }]
    expect(findingsOf({ stoa_scopes: { required } })).toEqual([
      'warning consent.purpose_unstated ',
      'warning consent.country_unstated ',
      'warning consent.contact_unstated ',
      'warning consent.justification_unstated /stoa_scopes/required/0',
      'warning consent.retention_unstated /stoa_scopes/required/0',
      'warning consent.recipients_unstated /stoa_scopes/required/0',
    ])
    const optional = [{ ...told, name: 'order:read', without: undefined }] as unknown as ScopeRequest[]
    expect(findingsOf({ ...whole, stoa_scopes: { optional } })).toEqual([
      'warning consent.without_unstated /stoa_scopes/optional/0',
    ])
  })

  test('is less for a program that stays inside, and for what is no personal or business data', () => {
    const { purpose } = told
    expect(
      findingsOf({ stoa_scopes: { required: [{ name: 'order:read', purpose }] } }, 'mini-program'),
    ).toEqual([
      'warning consent.purpose_unstated ',
      'warning consent.contact_unstated ',
      'warning consent.justification_unstated /stoa_scopes/required/0',
      'warning consent.retention_unstated /stoa_scopes/required/0',
    ])
    expect(findingsOf({ ...whole, stoa_scopes: { required: [{ name: 'theme:read', purpose }] } })).toEqual([])
  })

  test('is to be in Chinese too', () => {
    const required = [{ ...told, name: 'order:read', purpose: { en: 'x' }, justification: { en: 'x' } }]
    expect(findingsOf({ ...whole, stoa_scopes: { required } })).toEqual([
      'warning consent.chinese_missing /stoa_scopes/required/0/purpose',
      'warning consent.chinese_missing /stoa_scopes/required/0/justification',
    ])
  })
})
