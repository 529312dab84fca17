import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { type InputProblem, limits, parseTime, toIso } from '../kernel/index.ts'
import { type JsonSchema, storableText } from './schema.ts'

/** No problem: the value is as the schema says. Defaults have been filled in. */
export type Check = (value: unknown) => readonly InputProblem[]

// RFC 3339 §5.6 date-time with an offset.
const dateTime = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** RFC 3339 §5.7: a day of its month, an hour before 24. The parser would roll 30 February over into March. */
function isDateTime(text: string): boolean {
  const [, day, time] = dateTime.exec(text) ?? []
  if (day === undefined || time === undefined || parseTime(text) === null) return false
  const written = `${day}T${time}`
  const readMs = parseTime(`${written}Z`)
  return readMs !== null && toIso(readMs).startsWith(written)
}

const formats = {
  'date-time': isDateTime,
  uri: (text: string) => URL.canParse(text),
  email: (text: string) => /^[^\s@]+@[^\s@]+$/.test(text),
}

function makeAjv(coerceTypes: boolean, allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    strict: true,
    strictRequired: false,
    coerceTypes,
    useDefaults: true,
    formats,
  })
  ajv.addKeyword('x-nothing')
  ajv.addVocabulary(['x-order', 'x-error'])
  return ajv
}

/** Two validators of one mind: one stops at the first problem, one finds them all. */
function makePair(coerceTypes: boolean) {
  return { first: makeAjv(coerceTypes, false), all: makeAjv(coerceTypes, true) }
}

const exact = makePair(false)
const coercing = makePair(true)

const keywordMessages: Readonly<Record<string, (error: ErrorObject) => string>> = {
  additionalProperties: (error) => `unknown member ${JSON.stringify(error.params['additionalProperty'])}`,
  required: (error) => `${JSON.stringify(error.params['missingProperty'])} is missing`,
  pattern: (error) =>
    error.params['pattern'] === storableText
      ? 'must not hold U+0000 or half a surrogate pair'
      : `must match pattern "${error.params['pattern']}"`,
  enum: (error) => `must be one of ${JSON.stringify(error.params['allowedValues'])}`,
}

function pointerOf(error: ErrorObject): string {
  const member = error.params['missingProperty'] ?? error.params['additionalProperty']
  if (typeof member !== 'string') return error.instancePath
  // RFC 6901 §3: "~" is written "~0", "/" is written "~1".
  return `${error.instancePath}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function toProblem(error: ErrorObject): InputProblem {
  return {
    pointer: pointerOf(error),
    code: error.keyword,
    message: keywordMessages[error.keyword]?.(error) ?? error.message ?? error.keyword,
  }
}

/** Whether there are at most so many values in this one, itself included. */
function hasAtMost(valuesMax: number, value: unknown): boolean {
  const open = [value]
  for (let seen = 0; seen < valuesMax && open.length > 0; seen += 1) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    for (const member of Object.values(next)) open.push(member)
  }
  return open.length === 0
}

/** What a keyword found wrong, for those who word it themselves; `params` and `message` are the validator's. */
export type Violation = Pick<ErrorObject, 'instancePath' | 'keyword' | 'params' | 'message'>

function makeFinder(json: JsonSchema, coerce: boolean): (value: unknown) => readonly ErrorObject[] {
  const { first, all } = coerce ? coercing : exact
  const validate = first.compile(json)
  let findAll: ValidateFunction | null = null
  return (value) => {
    if (validate(value)) return []
    let errors = validate.errors
    if (hasAtMost(limits.inputValuesMax, value)) {
      findAll ??= all.compile(json)
      if (!findAll(value)) errors = findAll.errors
    }
    return (errors ?? []).slice(0, limits.inputProblemsMax)
  }
}

/** As `compile`, giving what was found before it is put into words. */
export function compileViolations(json: JsonSchema): (value: unknown) => readonly Violation[] {
  return makeFinder(json, false)
}

/**
 * Compiles a schema once. `coerce` is for values that travelled as text (path and query): "50" is accepted where the
 * schema says integer. Every problem is told, up to `limits.inputProblemsMax`; of a value with more than
 * `limits.inputValuesMax` values only the first, since half a million wrong items would keep the process for seconds.
 */
export function compile(json: JsonSchema, options: { readonly coerce?: boolean } = {}): Check {
  const find = makeFinder(json, options.coerce === true)
  return (value) => find(value).map(toProblem)
}
