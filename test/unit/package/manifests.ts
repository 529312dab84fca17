import { Ajv2020 } from 'ajv/dist/2020.js'
import {
  type ManifestContext,
  manifestSchema,
  type PackageErrorCode,
  toSchemaProblems,
} from '../../../runtime/package/index.ts'
import { backendManifest, fullManifest } from './full-manifest.ts'

const validate = new Ajv2020({ allErrors: true, strict: true }).compile(manifestSchema)

/** A platform with two scopes and two event types, and a package with pages, icon and handlers. */
export const context: ManifestContext = {
  checkSchema: (value) => (validate(value) ? [] : toSchemaProblems(validate.errors ?? [])),
  files: new Map(
    ['manifest.json', 'handlers.js', 'images/icon.png', 'pages/index.wxml', 'pages/help.html'].map(filed),
  ),
  knownScopes: new Map(['order:read', 'order:write', 'order:refund'].map((name) => [name, {}])),
  knownEventTypes: new Map([
    ['order.paid', { version: 1, scope: 'order:read' }],
    ['order.shipped', { version: 2, scope: 'order:write' }],
    ['app.installed', { version: 1, scope: null }],
  ]),
  knownDetailTypes: new Map([
    ['refund', { scope: 'order:refund', checkDetail: currencyIsThere }],
    ['shops', { scope: null, checkDetail: () => [] }],
  ]),
  previousVersionCode: 6,
  appClass: 'mini-program',
}

function currencyIsThere(detail: unknown) {
  const isThere = Object.hasOwn(detail as object, 'currency')
  return isThere ? [] : [{ pointer: '/currency', message: '"currency" is missing' }]
}

function filed(path: string): readonly [string, null] {
  return [path, null]
}

/** A manifest that must be refused, with `code pointer` of each problem. */
export interface HostileManifest {
  readonly title: string
  readonly manifest: unknown
  readonly context?: Partial<ManifestContext>
  readonly problems: readonly `${PackageErrorCode} ${string}`[]
}

function change(title: string, members: object, ...problems: HostileManifest['problems']): HostileManifest {
  return { title, manifest: { ...fullManifest, ...members }, problems }
}

function without(name: keyof typeof fullManifest): HostileManifest {
  const { [name]: _left, ...manifest } = fullManifest
  return { title: `no ${name}`, manifest, problems: [`package.member_missing /${name}`] }
}

function scopes(required: readonly object[], optional: readonly object[] = []): object {
  return { stoa_scopes: { required, optional }, stoa_events: [], stoa_authorization_details: [] }
}

const purpose = { en: 'To thank' }
const read = { name: 'order:read', purpose }

const ofSchema: readonly HostileManifest[] = [
  ...(['app_id', 'name', 'icons', 'pages', 'platform_version', 'version'] as const).map(without),
  ...[null, 7, 'x', []].map((manifest) => ({
    title: `${JSON.stringify(manifest)} for a manifest`,
    manifest,
    context: { appClass: 'backend' as const },
    problems: ['package.member_invalid '] as const,
  })),
  change('a misspelt member of ours', { stoa_scope: {} }, 'package.member_unknown /stoa_scope'),
  change('a member of ours in camel case', { stoaScopes: {} }, 'package.member_unknown /stoaScopes'),
  change('a member of ours in capitals', { STOA_EVENTS: [] }, 'package.member_unknown /STOA_EVENTS'),
  change('a longer name than ours', { stoa_events2: [] }, 'package.member_unknown /stoa_events2'),
  change('a name with a slash', { 'stoa_a/b~c': [] }, 'package.member_unknown /stoa_a~1b~0c'),
  change(
    'a misspelt list of scopes',
    { stoa_scopes: { reqired: [] }, stoa_events: [], stoa_authorization_details: [] },
    'package.member_unknown /stoa_scopes/reqired',
  ),
  change(
    'an event with a filter',
    { stoa_events: [{ type: 'order.paid', version: 1, filter: 'x' }] },
    'package.member_unknown /stoa_events/0/filter',
  ),
  change('version beside its members', { version: '1.0.0' }, 'package.member_invalid /version'),
  change(
    'a version code of 0',
    { version: { code: 0, name: '1.0.0' } },
    'package.member_invalid /version/code',
    'package.version_code_not_higher /version/code',
  ),
  change(
    'a version code in a string',
    { version: { code: '7', name: '1.0.0' } },
    'package.member_invalid /version/code',
  ),
  change(
    'a version code above 2^31',
    { version: { code: 2 ** 31, name: '1.0.0' } },
    'package.member_invalid /version/code',
  ),
  change(
    'a version name of two numbers',
    { version: { code: 7, name: '1.0' } },
    'package.member_invalid /version/name',
  ),
  change(
    'min_code in a string',
    { platform_version: { min_code: '1' } },
    'package.member_invalid /platform_version/min_code',
  ),
  change('no min_code', { platform_version: {} }, 'package.member_missing /platform_version/min_code'),
  change('an app_id with a space', { app_id: 'com example' }, 'package.member_invalid /app_id'),
  change('a name of 51 letters', { name: 'x'.repeat(51) }, 'package.member_invalid /name'),
  change('a blank name', { name: '  ' }, 'package.member_invalid /name'),
  change('a name that turns the text around', { name: 'a\u202eb' }, 'package.member_invalid /name'),
  change(
    'an icon in place of a list',
    { icons: { src: 'images/icon.png' } },
    'package.member_invalid /icons',
  ),
  change(
    'an icon outside of the package',
    { icons: [{ src: '../icon.png' }] },
    'package.member_invalid /icons/0/src',
    'package.icon_missing /icons/0/src',
  ),
  change('a page twice', { pages: ['pages/index', 'pages/index'] }, 'package.member_invalid /pages'),
  change(
    '"false" for fullscreen',
    { window: { fullscreen: 'false' } },
    'package.member_invalid /window/fullscreen',
  ),
  change(
    'a widget with a version string',
    { widgets: [{ name: 'a', path: 'a', min_code: '2' }] },
    'package.member_invalid /widgets/0/min_code',
  ),
  change(
    'a name for no locale',
    { stoa_names: { English: 'x' } },
    'package.member_unknown /stoa_names/English',
  ),
  change(
    'a scope without purpose',
    scopes([{ name: 'order:read' }]),
    'package.member_missing /stoa_scopes/required/0/purpose',
  ),
  change(
    'a purpose without English',
    scopes([{ ...read, purpose: { 'zh-CN': '致谢' } }]),
    'package.member_missing /stoa_scopes/required/0/purpose/en',
  ),
  change(
    'a retention in words',
    scopes([{ ...read, retention_days: 'a month' }]),
    'package.member_invalid /stoa_scopes/required/0/retention_days',
  ),
  change(
    'a retention of eleven years',
    scopes([{ ...read, retention_days: 4015 }]),
    'package.member_invalid /stoa_scopes/required/0/retention_days',
  ),
  change(
    'a recipient whose country and role are missing',
    scopes([{ ...read, recipients: [{ name: 'Somebody' }] }]),
    'package.member_missing /stoa_scopes/required/0/recipients/0/country',
    'package.member_missing /stoa_scopes/required/0/recipients/0/role',
  ),
  change(
    'a country in lower case',
    scopes([{ ...read, recipients: [{ name: 'Somebody', country: 'de', role: 'entrusted' }] }]),
    'package.member_invalid /stoa_scopes/required/0/recipients/0/country',
  ),
  change(
    'a privacy policy that is a script',
    { stoa_publisher: { privacy_policy: 'javascript:alert(1)' } },
    'package.member_invalid /stoa_publisher/privacy_policy',
  ),
  change(
    'a purpose of the app without English',
    { stoa_purpose: { 'zh-CN': '感谢' } },
    'package.member_missing /stoa_purpose/en',
  ),
  change(
    'handlers that are no script',
    { stoa_handlers: 'images/icon.png' },
    'package.member_invalid /stoa_handlers',
  ),
  change('a number for handlers', { stoa_handlers: 7 }, 'package.member_invalid /stoa_handlers'),
  change(
    '11 redirect URIs',
    { stoa_redirect_uris: Array.from({ length: 11 }, (_, i) => `https://a.example.com/${i}`) },
    'package.member_invalid /stoa_redirect_uris',
  ),
]

const ofMeaning: readonly HostileManifest[] = [
  {
    ...change('the version code of the last upload', {}, 'package.version_code_not_higher /version/code'),
    context: { previousVersionCode: 7 },
  },
  {
    ...change('a lower version code', {}, 'package.version_code_not_higher /version/code'),
    context: { previousVersionCode: 8 },
  },
  change(
    'an unknown scope',
    scopes([read, { name: 'order:raed', purpose }]),
    'package.scope_unknown /stoa_scopes/required/1/name',
  ),
  change(
    'a scope in both lists',
    scopes([read], [read]),
    'package.scope_repeated /stoa_scopes/optional/0/name',
  ),
  change(
    'a scope twice in one list',
    scopes([read, read]),
    'package.scope_repeated /stoa_scopes/required/1/name',
  ),
  change(
    'an unknown event type',
    { stoa_events: [{ type: 'order.payed', version: 1 }] },
    'package.event_type_unknown /stoa_events/0/type',
  ),
  change(
    'a member of every object as event type',
    { stoa_events: [{ type: 'constructor', version: 1 }] },
    'package.event_type_unknown /stoa_events/0/type',
  ),
  change(
    'an unknown event version',
    { stoa_events: [{ type: 'order.paid', version: 2 }] },
    'package.event_version_unknown /stoa_events/0/version',
  ),
  change(
    'an event type twice',
    {
      stoa_events: [
        { type: 'order.paid', version: 1 },
        { type: 'order.paid', version: 1 },
      ],
    },
    'package.event_type_repeated /stoa_events/1/type',
  ),
  change(
    'an event without its scope',
    { stoa_scopes: { optional: [read] }, stoa_authorization_details: [] },
    'package.event_scope_missing /stoa_events/1/type',
  ),
  change(
    'an unknown type of authorization details',
    { stoa_authorization_details: [{ type: 'shop' }] },
    'package.detail_type_unknown /stoa_authorization_details/0/type',
  ),
  change(
    'an authorization detail without what its type wants',
    { stoa_authorization_details: [{ type: 'shops' }, { type: 'refund' }] },
    'package.detail_invalid /stoa_authorization_details/1/currency',
  ),
  change(
    'a limit of a scope that is not asked for',
    {
      stoa_scopes: { required: [read], optional: [] },
      stoa_events: [],
      stoa_authorization_details: [{ type: 'refund', currency: 'CNY' }],
    },
    'package.detail_scope_missing /stoa_authorization_details/0/type',
  ),
  change(
    'an authorization detail without a type',
    { stoa_authorization_details: [{ currency: 'CNY' }] },
    'package.member_missing /stoa_authorization_details/0/type',
  ),
  change(
    'handlers that are not in the package',
    { stoa_handlers: 'other.js' },
    'package.handlers_file_missing /stoa_handlers',
  ),
  {
    ...change('handlers in a backend app', {}, 'package.handlers_not_allowed /stoa_handlers'),
    context: { appClass: 'backend' },
  },
  ...(['mini-program', 'both'] as const).map((appClass) => ({
    title: `no handlers in an app of class ${appClass}`,
    manifest: backendManifest,
    context: { appClass },
    problems: ['package.handlers_required /stoa_handlers'] as const,
  })),
  change(
    'a page that is not in the package',
    { pages: ['pages/index', 'pages/none'] },
    'package.page_missing /pages/1',
  ),
  change('a page with its extension', { pages: ['pages/index.wxml'] }, 'package.page_missing /pages/0'),
  change(
    'an icon that is not in the package',
    { icons: [{ src: 'images/none.png' }] },
    'package.icon_missing /icons/0/src',
  ),
]

const redirectUris = [
  'http://app.example.com/cb',
  'http://localhost/cb',
  'http://127.0.0.2/cb',
  'https://a.example.com/#',
  'https://a.example.com/#x',
  'https://me@a.example.com/',
  'https://me:pw@a.example.com/',
  'https://@a.example.com/',
  'javascript:alert(1)',
  'myapp://cb',
  '/cb',
  'https://*.example.com/cb',
  'https://A.example.com/',
  'https://a.example.com:443/',
  'https://a.example.com/x/../y',
  'http://127.1/cb',
  'http://2130706433/',
  'https:\\\\a.example.com',
  'https://a.example.com/\n',
  ' https://a.example.com/',
  'https://例え.jp/',
  'https:a.example.com',
  'https://a_b.example.com/',
  'data:text/html,x',
  'https://a.example.com/<script>',
]
const egressHosts = [
  'API.example.com',
  '*.example.com',
  '10.0.0.1',
  '2130706433',
  '0x7f.1',
  '127.0.0.0x1',
  '[::1]',
  '::1',
  'api.example.com:8080',
  'https://api.example.com',
  'localhost',
  'printer.local',
  'db.internal',
  'com',
  'example.com.',
  '.example.com',
  'a..b.com',
  '-a.example.com',
  'a_b.example.com',
  `${'a'.repeat(64)}.example.com`,
  '例え.jp',
  'a b.com',
]

const ofAddresses: readonly HostileManifest[] = [
  ...redirectUris.map((uri) => {
    return change(
      `the redirect URI ${JSON.stringify(uri)}`,
      { stoa_redirect_uris: [uri] },
      'package.redirect_uri_illegal /stoa_redirect_uris/0',
    )
  }),
  ...egressHosts.map((host) => {
    return change(
      `the egress host ${JSON.stringify(host)}`,
      { stoa_egress_hosts: [host] },
      'package.egress_host_illegal /stoa_egress_hosts/0',
    )
  }),
]

export const hostileManifests: readonly HostileManifest[] = [...ofSchema, ...ofMeaning, ...ofAddresses]
