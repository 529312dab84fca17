/** A pattern with the words that a person needs to keep it. */
interface TextRule {
  readonly pattern: string
  readonly words: string
}

const oneLine: TextRule = {
  pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$',
  words: 'one line of text, without control characters and direction marks',
}
const paragraphs: TextRule = {
  pattern:
    '^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*$',
  words: 'text, without control characters other than line feeds and without direction marks',
}
const appId: TextRule = {
  pattern: '^[A-Za-z][A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+)*$',
  words: 'names joined by dots, such as com.example.printer',
}
const versionName: TextRule = {
  pattern: '^(?:0|[1-9][0-9]*)\\.(?:0|[1-9][0-9]*)\\.(?:0|[1-9][0-9]*)$',
  words: 'three numbers, such as 1.2.3',
}
const languageTag: TextRule = {
  pattern: '^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$',
  words: 'a BCP 47 language tag, such as en or zh-CN',
}
const filePath: TextRule = {
  pattern: '^(?!/)(?!(?:.*/)?\\.\\.?(?:/|$))[^\\u0000-\\u001f\\\\:*?"<>|]+$',
  words: 'a path in the package, without a slash in front, such as images/icon.png',
}
const scriptPath: TextRule = {
  pattern: '^(?!/)(?!(?:.*/)?\\.\\.?(?:/|$))[^\\u0000-\\u001f\\\\:*?"<>|]+\\.js$',
  words: 'the path of a .js file in the package, such as handlers.js',
}
const iconSizes: TextRule = {
  pattern: '^(?:any|[0-9]{1,4}[xX][0-9]{1,4}(?: [0-9]{1,4}[xX][0-9]{1,4})*)$',
  words: '“any”, or sizes such as 48x48 96x96',
}
const countryCode: TextRule = {
  pattern: '^[A-Z]{2}$',
  words: 'a country by the two letters of ISO 3166-1, such as CN or DE',
}
const webAddress: TextRule = {
  pattern: '^https://[^\\s\\u0000-\\u001f"<>\\\\^`{|}]+$',
  words: 'an address that begins with https://',
}
const color: TextRule = { pattern: '^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$', words: 'a colour such as #ffffff' }

const textRules = [
  oneLine,
  paragraphs,
  appId,
  versionName,
  languageTag,
  filePath,
  scriptPath,
  iconSizes,
  countryCode,
  webAddress,
  color,
]

/** What a person should write where `pattern` is asked for; undefined for a pattern that is not of this schema. */
export function wordsFor(pattern: string): string | undefined {
  return textRules.find((rule) => rule.pattern === pattern)?.words
}

/** Largest integer of a PostgreSQL `integer` column. */
const codeMax = 2_147_483_647

function text(rule: TextRule, lengthMax: number, description: string): object {
  return { type: 'string', minLength: 1, maxLength: lengthMax, pattern: rule.pattern, description }
}

/** Locales that editors propose; any other is allowed too. */
const usualLocales = ['en', 'zh-CN']
const otherLocale = `^(?!(?:${usualLocales.join('|')})$)[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?$`

function localized(lengthMax: number, description: string, required: readonly string[]): object {
  const inLocale = text(oneLine, lengthMax, 'The text in this locale.')
  return {
    type: 'object',
    minProperties: 1,
    maxProperties: 20,
    required,
    additionalProperties: false,
    properties: Object.fromEntries(usualLocales.map((locale) => [locale, inLocale])),
    patternProperties: { [otherLocale]: inLocale },
    description: `${description} Members are locales (en, zh-CN), values are texts of at most ${lengthMax} characters.`,
  }
}

function scopeRequests(description: string): object {
  return {
    type: 'array',
    maxItems: 50,
    description,
    items: {
      type: 'object',
      required: ['name', 'purpose'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 100, description: 'The scope, such as order:read.' },
        purpose: localized(
          200,
          'What the app does with it, in the merchant’s words. Shown to the merchant on the consent page and to the reviewer.',
          ['en'],
        ),
        justification: localized(
          300,
          'Why the app cannot do this with less. Shown as the developer’s own words.',
          ['en'],
        ),
        without: localized(200, 'What does not work when the merchant refuses an optional scope.', ['en']),
        retention_days: {
          type: 'integer',
          minimum: 0,
          maximum: 3650,
          description:
            'How many days the app keeps what it got by this scope. 0: it is used at once and not kept.',
        },
        recipients,
      },
    },
  }
}

const recipients = {
  type: 'array',
  maxItems: 10,
  description:
    'Everybody else who gets what the app reads by this scope. []: nobody. The merchant agrees to each scope with recipients separately.',
  items: {
    type: 'object',
    required: ['name', 'country', 'role'],
    additionalProperties: false,
    properties: {
      name: text(oneLine, 100, 'Name of the company or person.'),
      country: text(countryCode, 2, 'Where the data goes (ISO 3166-1 alpha-2).'),
      role: {
        enum: ['entrusted', 'independent'],
        description:
          'entrusted: works on the publisher’s orders alone. independent: decides for itself what it does with the data.',
      },
      purpose: localized(200, 'What it does with the data.', ['en']),
    },
  },
}

const codeNumber = { type: 'integer', minimum: 1, maximum: codeMax }

const w3cMembers = {
  app_id: text(
    appId,
    128,
    'W3C: identifies the MiniApp, usually by a reverse domain name. Only its form is checked; on this platform an app is known by the id it got at registration.',
  ),
  name: text(oneLine, 50, 'W3C: name of the app. stoa_names gives it in other languages.'),
  short_name: text(oneLine, 20, 'W3C: name where there is little room.'),
  description: text(paragraphs, 1000, 'W3C: what the app does, as plain text.'),
  lang: text(languageTag, 35, 'W3C: language of name, short_name and description (BCP 47).'),
  dir: { enum: ['ltr', 'rtl', 'auto'], description: 'W3C: base direction of the texts. Without it: auto.' },
  color_scheme: {
    enum: ['auto', 'light', 'dark'],
    description: 'W3C: preferred colour scheme. Without it: auto.',
  },
  device_type: {
    type: 'array',
    maxItems: 10,
    items: { type: 'string', minLength: 1, maxLength: 30 },
    description: 'W3C: kinds of device, such as phone, tablet, tv.',
  },
  icons: {
    type: 'array',
    maxItems: 10,
    description: 'W3C: a list of images, all in the package. [] in a package without images.',
    items: {
      type: 'object',
      required: ['src'],
      properties: {
        src: text(filePath, 255, 'Path of the image in the package.'),
        sizes: text(iconSizes, 100, 'Sizes of the image, or “any”.'),
        label: text(oneLine, 100, 'What the image shows, for people who do not see it.'),
      },
    },
  },
  pages: {
    type: 'array',
    maxItems: 100,
    uniqueItems: true,
    items: text(
      filePath,
      250,
      'A page: its path without extension. The package holds it as .wxml or as .html.',
    ),
    description:
      'W3C: the pages; the first is the home page. [] in a package without pages: a backend app, or handlers alone.',
  },
  platform_version: {
    type: 'object',
    required: ['min_code'],
    description: 'W3C: the runtime that the app needs.',
    properties: {
      min_code: { ...codeNumber, description: 'Lowest runtime version that can run the app, a number.' },
      target_code: { ...codeNumber, description: 'Runtime version the app was written for, a number.' },
      release_type: {
        type: 'string',
        minLength: 1,
        maxLength: 30,
        description: 'Kind of runtime release, such as “beta”.',
      },
    },
  },
  version: {
    type: 'object',
    required: ['code', 'name'],
    description: 'W3C: version of the app.',
    properties: {
      code: { ...codeNumber, description: 'Grows with every upload.' },
      name: text(versionName, 40, 'For people: three numbers, 1.2.3.'),
    },
  },
  req_permissions: {
    type: 'array',
    maxItems: 50,
    description:
      'W3C: access to data is asked for by stoa_scopes. The reason of a permission that is named like a scope is shown where the scope has no justification of its own.',
    items: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 100 },
        reason: { type: 'string', maxLength: 500 },
      },
    },
  },
  widgets: {
    type: 'array',
    maxItems: 20,
    description: 'W3C: accepted and not used yet.',
    items: {
      type: 'object',
      required: ['name', 'path'],
      properties: {
        name: text(oneLine, 50, 'Name of the widget.'),
        path: text(filePath, 250, 'Path of the widget, without extension.'),
        min_code: { ...codeNumber, description: 'Lowest runtime version that can run the widget, a number.' },
      },
    },
  },
  window: {
    type: 'object',
    description: 'W3C: how pages look when they say nothing themselves.',
    properties: {
      auto_design_width: { type: 'boolean' },
      background_color: text(color, 7, 'Without it: #ffffff.'),
      background_text_style: { enum: ['dark', 'light'] },
      design_width: { type: 'integer', minimum: 0, maximum: 10_000 },
      enable_pull_down_refresh: { type: 'boolean' },
      fullscreen: { type: 'boolean' },
      navigation_bar_background_color: text(color, 7, 'Without it: #000000.'),
      navigation_bar_text_style: { enum: ['white', 'black'] },
      navigation_bar_title_text: { type: 'string', maxLength: 50 },
      navigation_style: { enum: ['default', 'custom'] },
      on_reach_bottom_distance: { type: 'integer', minimum: 0, maximum: 10_000 },
      orientation: { enum: ['portrait', 'landscape'] },
    },
  },
}

const stoaMembers = {
  stoa_names: localized(50, 'Name of the app by locale, shown on the consent page and in the market.', []),
  stoa_purpose: localized(200, 'What the app is for, in one sentence. Shown first on the consent page.', [
    'en',
  ]),
  stoa_publisher: {
    type: 'object',
    additionalProperties: false,
    description: 'Who answers for the data. Shown on the consent page beside the publisher’s name.',
    properties: {
      legal_name: text(oneLine, 100, 'The name in the register of companies, or of the person.'),
      country: text(countryCode, 2, 'Where the app’s own servers keep the data (ISO 3166-1 alpha-2).'),
      contact: text(
        oneLine,
        200,
        'Where merchants and their customers reach the publisher: mail, telephone.',
      ),
      privacy_policy: text(webAddress, 500, 'The publisher’s privacy policy.'),
    },
  },
  stoa_scopes: {
    type: 'object',
    additionalProperties: false,
    description: 'Access the app asks the merchant for. No scope may be in both lists or twice in one.',
    properties: {
      required: scopeRequests('The app cannot be installed without these.'),
      optional: scopeRequests('The merchant may refuse these; the app must work without them.'),
    },
  },
  stoa_events: {
    type: 'array',
    maxItems: 100,
    description:
      'Events the app receives. Each needs its scope in stoa_scopes, and each type may be listed once.',
    items: {
      type: 'object',
      required: ['type', 'version'],
      additionalProperties: false,
      properties: {
        type: {
          type: 'string',
          minLength: 1,
          maxLength: 100,
          description: 'The event type, such as order.paid.',
        },
        version: {
          ...codeNumber,
          description: 'Version of the event’s data schema that the app understands.',
        },
      },
    },
  },
  stoa_authorization_details: {
    type: 'array',
    maxItems: 20,
    description:
      'Bounds of what the app asks for, as authorization details (RFC 9396): the widest that a merchant may be asked to agree to. An authorization request may ask for less. Each has a type of this platform, such as refund, and that type’s members.',
    items: {
      type: 'object',
      required: ['type'],
      maxProperties: 20,
      properties: {
        type: { type: 'string', minLength: 1, maxLength: 100, description: 'The type, such as refund.' },
      },
    },
  },
  stoa_device_authorization: {
    type: 'boolean',
    description:
      'Whether the app may ask for tokens on a device without a browser (RFC 8628): the merchant types a code on the platform’s page. Without it: no.',
  },
  stoa_handlers: text(
    scriptPath,
    255,
    'The JavaScript file with the event handlers. Needed by mini-programs, not allowed in backend apps.',
  ),
  stoa_redirect_uris: {
    type: 'array',
    maxItems: 10,
    uniqueItems: true,
    description:
      'OAuth redirect URIs, compared character by character. https, or http on 127.0.0.1 or [::1] for apps on the user’s own machine, there with any port; in normal form, without user name and fragment.',
    items: { type: 'string', minLength: 1, maxLength: 512 },
  },
  stoa_egress_hosts: {
    type: 'array',
    maxItems: 20,
    uniqueItems: true,
    description:
      'Hosts the app may send data to. Public host names in lower case, no addresses, no wildcards, no ports. Reserved: declare [] or what the next version will need.',
    items: { type: 'string', minLength: 1, maxLength: 253 },
  },
}

/** Our own members, for “did you mean”. */
export const stoaMemberNames: readonly string[] = Object.keys(stoaMembers)

/** Every name that begins with “stoa” in any case and is none of ours. */
const unknownStoaMember = `^(?!(?:${stoaMemberNames.join('|')})$)[sS][tT][oO][aA]`

/**
 * JSON Schema 2020-12 of manifest.json, served at /schemas/manifest.json. Unknown members are tolerated, as the W3C draft
 * asks (“vendor-specific extensions”, later versions), with one exception: a member that begins with “stoa” must be one
 * of ours and exactly so written, and objects inside our members are closed. A misspelt declaration is therefore refused
 * instead of silently not made.
 *
 * The W3C's own schema is not used: it asks for version_name and version_code where the draft's text has `version`, and
 * writes `min` for `minimum`. Rules that a schema cannot say, such as “this file is in the package”, are in checks/, and
 * the descriptions here mention them.
 */
export const manifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:stoa:manifest:1',
  title: 'Stoa app manifest',
  description:
    'manifest.json in the root of an app’s package: the W3C MiniApp Manifest with members of our own prefixed stoa_. At most 64 KiB. Unknown members are ignored, except that names beginning with “stoa” must be listed here.',
  type: 'object',
  required: ['app_id', 'name', 'icons', 'pages', 'platform_version', 'version'],
  maxProperties: 100,
  properties: {
    $schema: { type: 'string', maxLength: 500, description: 'Address of this schema, for editors. Ignored.' },
    ...w3cMembers,
    ...stoaMembers,
  },
  patternProperties: { [unknownStoaMember]: false },
} as const
