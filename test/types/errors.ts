import { defineErrors, type ErrorFactory, type limits } from '../../src/kernel/index.ts'
import type { Assert, Equals } from './assertions.ts'

const Errors = defineErrors('part', { gone: { status: 410, title: 'It is gone' } })

// A table knows its names: a code that is not declared cannot be thrown.
export type TableHasItsNames = Assert<Equals<keyof typeof Errors, 'gone'>>
export type EntryIsAFactory = Assert<Equals<(typeof Errors)['gone'], ErrorFactory>>
// @ts-expect-error: not in the table
export const unknown = Errors.lost

// @ts-expect-error: a row without a title is not a row
defineErrors('part', { gone: { status: 410 } })

// Limits are numbers under literal names.
export type LimitsAreNumbers = Assert<Equals<(typeof limits)['accessTokenMs'], number>>
export type LimitNamesAreLiteral = Assert<Equals<string extends keyof typeof limits ? true : false, false>>
