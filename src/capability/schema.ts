/** JSON Schema 2020-12 as data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

declare const valueType: unique symbol
declare const optionalMark: unique symbol

/** A JSON Schema that knows the TypeScript type of the values it accepts. */
export interface Schema<T> {
  readonly json: JsonSchema
  readonly [valueType]?: T
}

interface OptionalSchema<T> extends Schema<T> {
  readonly [optionalMark]: true
}

/** The type of the values a schema accepts. */
export type Infer<S> = S extends Schema<infer T> ? T : never

// biome-ignore lint/suspicious/noExplicitAny: a record of schemas of unlike types; each member is typed where it stands
type AnySchema = Schema<any>
type Members = Readonly<Record<string, AnySchema>>
type OptionalNames<M extends Members> = {
  [K in keyof M]: M[K] extends { readonly [optionalMark]: true } ? K : never
}[keyof M]

type ObjectOf<M extends Members> = {
  readonly [K in Exclude<keyof M, OptionalNames<M>>]: Infer<M[K]>
} & { readonly [K in OptionalNames<M>]?: Infer<M[K]> | undefined }

interface StringOptions {
  readonly minLength?: number
  readonly maxLength: number
  readonly pattern?: string
  readonly format?: 'date-time' | 'uri' | 'email'
  readonly description?: string
  readonly examples?: readonly string[]
}

interface IntegerOptions {
  readonly minimum: number
  readonly maximum: number
  readonly default?: number
  readonly description?: string
}

interface ArrayOptions {
  readonly minItems?: number
  /** Required: nothing is unbounded. */
  readonly maxItems: number
  readonly uniqueItems?: boolean
  readonly description?: string
}

/**
 * What PostgreSQL cannot keep in text or jsonb: U+0000, and surrogates that are not a pair. (Patterns are compiled with
 * the flag u, under which a pair is one character and no surrogate.)
 */
export const storableText = '^[^\\u0000\\uD800-\\uDFFF]*$'

function make<T>(json: JsonSchema): Schema<T> {
  return { json }
}

function isOptional(member: AnySchema): boolean {
  return 'optional' in member && member.optional === true
}

function object<M extends Members>(
  members: M,
  options: { readonly description?: string } = {},
): Schema<ObjectOf<M>> {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, member] of Object.entries<AnySchema>(members)) {
    properties[name] = member.json
    if (!isOptional(member)) required.push(name)
  }
  return make({ type: 'object', properties, required, additionalProperties: false, ...options })
}

/** The builder. What it cannot say is not used on the wire. */
export const schema = {
  object,
  /** A member that may be absent. */
  optional: <T>(inner: Schema<T>): OptionalSchema<T> =>
    ({ json: inner.json, optional: true }) as unknown as OptionalSchema<T>,
  string: (options: StringOptions): Schema<string> =>
    make({ type: 'string', pattern: storableText, ...options }),
  integer: (options: IntegerOptions): Schema<number> => make({ type: 'integer', ...options }),
  boolean: (options: { readonly description?: string; readonly default?: boolean } = {}): Schema<boolean> =>
    make({ type: 'boolean', ...options }),
  oneOf: <const V extends readonly string[]>(
    values: V,
    options: { readonly description?: string } = {},
  ): Schema<V[number]> => make({ type: 'string', enum: values, ...options }),
  array: <T>(items: Schema<T>, options: ArrayOptions): Schema<readonly T[]> =>
    make({ type: 'array', items: items.json, ...options }),
  nullable: <T>(inner: Schema<T>): Schema<T | null> => make({ anyOf: [inner.json, { type: 'null' }] }),
  /** An object used as a map: every value has the same schema. */
  record: <T>(
    values: Schema<T>,
    options: { readonly maxProperties: number; readonly description?: string },
  ): Schema<Readonly<Record<string, T>>> =>
    make({ type: 'object', additionalProperties: values.json, ...options }),
  /** Any JSON value; bounded by the request's own limits. */
  json: (options: { readonly description?: string } = {}): Schema<unknown> => make({ ...options }),
  /** RFC 3339, UTC. */
  time: (options: { readonly description?: string } = {}): Schema<string> =>
    make({ type: 'string', format: 'date-time', maxLength: 35, ...options }),
  /** Gives the schema a name of its own: a component of /openapi.json, a type of the .d.ts. */
  named: <T>(name: string, inner: Schema<T>): Schema<T> => make({ title: name, ...inner.json }),
  /** No content (204). */
  nothing: make<undefined>({ 'x-nothing': true }),
} as const

/** A page of a list: `{data, hasMore, nextCursor}`. */
export function pageOf<T>(items: Schema<T>, itemsMax: number) {
  return schema.object({
    data: schema.array(items, { maxItems: itemsMax }),
    hasMore: schema.boolean(),
    nextCursor: schema.nullable(schema.string({ maxLength: 256 })),
  })
}

/** `{amount: integer minor units, currency: ISO 4217}`. */
export const money = schema.named(
  'Money',
  schema.object({
    amount: schema.integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Minor units: 1250 is 12.50',
    }),
    currency: schema.string({ maxLength: 3, pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  }),
)
