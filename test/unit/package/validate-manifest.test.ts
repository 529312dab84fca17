import { expect, test } from 'vitest'
import {
  type Problem,
  packageErrors,
  packageLimits,
  validateManifest,
} from '../../../runtime/package/index.ts'
import { backendManifest, fullManifest } from './full-manifest.ts'
import { context, hostileManifests } from './manifests.ts'

function told(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ code, pointer }) => `${code} ${pointer}`)
}

test.each(hostileManifests)('$title is refused at $problems', ({ manifest, context: changes, problems }) => {
  const answer = validateManifest(manifest, { ...context, ...changes })
  if (answer.ok) throw new Error('accepted')
  expect(told(answer.problems).toSorted()).toEqual(problems.toSorted())
  for (const problem of answer.problems) {
    expect(problem.message).toMatch(/^[^\p{Cc}\p{Cf}]{1,400}\.$/u)
    expect(problem.fix).not.toBe('')
  }
})

test('a manifest that uses every member is accepted as it is', () => {
  expect(validateManifest(fullManifest, context)).toEqual({ ok: true, manifest: fullManifest })
})

test('a manifest-only package of a backend app is accepted', () => {
  const answer = validateManifest(backendManifest, { ...context, appClass: 'backend', files: new Map() })
  expect(answer).toEqual({ ok: true, manifest: backendManifest })
})

test('the first version may have any code', () => {
  expect(validateManifest(fullManifest, { ...context, previousVersionCode: null }).ok).toBe(true)
})

test('an optional scope covers an event as well as a required one', () => {
  const stoa_scopes = {
    optional: [...fullManifest.stoa_scopes.required, ...fullManifest.stoa_scopes.optional],
  }
  expect(validateManifest({ ...fullManifest, stoa_scopes }, context).ok).toBe(true)
})

test('an event that needs no scope needs none declared', () => {
  const { stoa_scopes: _scopes, stoa_authorization_details: _details, ...manifest } = fullManifest
  const stoa_events = [{ type: 'app.installed', version: 1 }]
  expect(validateManifest({ ...manifest, stoa_events }, context).ok).toBe(true)
})

test('files are found by NFC name when the manifest writes NFD', () => {
  const files = new Map([...context.files, ['caf\u00e9.js', null]])
  expect(
    validateManifest({ ...fullManifest, stoa_handlers: 'cafe\u0301.js' }, { ...context, files }).ok,
  ).toBe(true)
})

test('all problems, of schema and of meaning, are in one answer', () => {
  const manifest = {
    ...fullManifest,
    name: 7,
    stoa_scope: {},
    version: { code: 1, name: '1' },
    pages: ['pages/none', 7],
    icons: [{ src: 'images/none.png' }],
    stoa_scopes: { required: [{ name: 'order:none', purpose: {} }] },
    stoa_events: [{ type: 'order.none', version: 1 }, { type: 'order.paid' }],
    stoa_authorization_details: [{ type: 'refund', currency: 'CNY' }],
    stoa_handlers: 'none.js',
    stoa_redirect_uris: ['ftp://a.example.com/'],
    stoa_egress_hosts: ['*'],
  }
  const answer = validateManifest(manifest, context)
  if (answer.ok) throw new Error('accepted')
  expect(told(answer.problems).toSorted()).toEqual(
    [
      'package.member_invalid /name',
      'package.member_unknown /stoa_scope',
      'package.member_invalid /version/name',
      'package.version_code_not_higher /version/code',
      'package.member_invalid /pages/1',
      'package.page_missing /pages/0',
      'package.icon_missing /icons/0/src',
      'package.member_invalid /stoa_scopes/required/0/purpose',
      'package.member_missing /stoa_scopes/required/0/purpose/en',
      'package.scope_unknown /stoa_scopes/required/0/name',
      'package.event_type_unknown /stoa_events/0/type',
      'package.member_missing /stoa_events/1/version',
      'package.event_scope_missing /stoa_events/1/type',
      'package.detail_scope_missing /stoa_authorization_details/0/type',
      'package.handlers_file_missing /stoa_handlers',
      'package.redirect_uri_illegal /stoa_redirect_uris/0',
      'package.egress_host_illegal /stoa_egress_hosts/0',
    ].toSorted(),
  )
})

test('a fix names what was most likely meant', () => {
  const manifest = {
    ...fullManifest,
    stoa_scope: {},
    version: { code: 3, name: '1.0' },
    stoa_scopes: { required: [{ name: 'orders:read', purpose: { en: 'To thank' } }] },
    stoa_events: [{ type: 'order.payed', version: 1 }],
  }
  const answer = validateManifest(manifest, context)
  const fixes = answer.ok ? [] : answer.problems.map(({ fix }) => fix)
  expect(fixes).toContain('Did you mean stoa_scopes?')
  expect(fixes).toContain('Did you mean order:read?')
  expect(fixes).toContain('Did you mean order.paid?')
  expect(fixes).toContain('Write three numbers, such as 1.2.3.')
  expect(fixes).toContain('Set version.code to 7 or more.')
})

test('a fix that fits no case better is the table’s', () => {
  const answer = validateManifest({ ...fullManifest, pages: ['none'] }, context)
  expect(!answer.ok && answer.problems.map(({ fix }) => fix)).toEqual([
    packageErrors['package.page_missing'].fix,
  ])
})

test('an answer holds at most a hundred problems', () => {
  const stoa_redirect_uris = Array.from({ length: 500 }, (_, index) => `ftp://${index}`)
  const answer = validateManifest({ ...fullManifest, stoa_redirect_uris }, context)
  expect(!answer.ok && answer.problems.length).toBe(packageLimits.problemsMax)
})
