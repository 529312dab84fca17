import type { GuestMessageKinds } from '../abi/index.ts'
import { permittedGlobals } from './permits.ts'

const kinds: GuestMessageKinds = { call: 1, log: 2, done: 3, failed: 4, missing: 5, loaded: 6 }

// The rules of this text. It runs before the mini-program, which may afterwards replace every global and every
// prototype's property; so from `receive` on it uses only what it captured, reads only own properties or those of
// null-prototype objects, joins text with `+` on strings, and hands JSON.stringify either the program's own value or a
// string. No template literals and no backslashes: the text stands in one.
const text = `(function (host, configText) {
'use strict'
const kinds = ${JSON.stringify(kinds)}
const permitted = ${JSON.stringify(permittedGlobals)}
const { parse, stringify } = JSON
const { create, defineProperty, freeze, getOwnPropertyNames, getPrototypeOf } = Object
const { apply } = Reflect
const NativePromise = Promise
const NativeError = Error
const NativeTypeError = TypeError
const NativeRangeError = RangeError
const internalErrorPrototype = InternalError.prototype
const toText = String
const { imul } = Math
const sliceOfString = String.prototype.slice
const config = parse(configText)

const tell = (kind, text) => { host(kind, text.length, text) }
const cut = (text, length) => apply(sliceOfString, text, [0, length])
const define = (target, key, value) => {
  const descriptor = create(null)
  descriptor.value = value
  descriptor.writable = true
  descriptor.configurable = true
  defineProperty(target, key, descriptor)
}

// --- globals
for (const name of getOwnPropertyNames(globalThis)) if (!permitted.includes(name)) delete globalThis[name]
const Blocked = function Function() { throw new NativeTypeError('Code from strings is not allowed here') }
Blocked.prototype = Function.prototype
for (const made of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  defineProperty(getPrototypeOf(made), 'constructor', { value: Blocked, writable: false, configurable: false })
}
define(globalThis, 'Function', Blocked)

// --- Math.random: xoshiro128**, seeded by the host for each run
let a = 0, b = 0, c = 0, d = 0
const seed = (words) => { a = words[0]; b = words[1]; c = words[2]; d = words[3] }
const next = () => {
  const product = imul(b, 5)
  const result = imul((product << 7) | (product >>> 25), 9)
  const shifted = b << 9
  c ^= a
  d ^= b
  b ^= c
  a ^= d
  c ^= shifted
  d = (d << 11) | (d >>> 21)
  return result >>> 0
}
define(Math, 'random', function random() {
  return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
})
seed(config.seed)

// --- console
let logCharsMax = config.logCharsMax
const show = (value) => {
  if (typeof value === 'string') return value
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return toText(value)
  if (value instanceof NativeError) return toText(value)
  const shown = stringify(value)
  return typeof shown === 'string' ? shown : '[object]'
}
const log = (level, values) => {
  let line = level
  for (let i = 0; i < values.length; i += 1) {
    try { line += ' ' + show(values[i]) } catch (_) { line += ' [not printable]' }
  }
  tell(kinds.log, stringify(cut(line, logCharsMax)))
}
define(globalThis, 'console', {
  log: (...values) => log('info', values),
  info: (...values) => log('info', values),
  debug: (...values) => log('debug', values),
  warn: (...values) => log('warn', values),
  error: (...values) => log('error', values),
})

// --- on(type, handler)
const handlers = create(null)
const types = []
let sealed = false
const on = function on(type, handler) {
  if (sealed) throw new NativeError('on() is for the top level of the bundle: handlers cannot be added later')
  if (typeof type !== 'string' || type === '') throw new NativeTypeError('on(type, handler): type is not an event type')
  if (typeof handler !== 'function') throw new NativeTypeError('on(type, handler): handler is not a function')
  if (handlers[type] !== undefined) throw new NativeTypeError('on(): there is already a handler for ' + type)
  if (types.length >= 256) throw new NativeRangeError('on(): more than 256 handlers')
  handlers[type] = handler
  define(types, types.length, type)
}
define(globalThis, 'on', on)
const seal = () => {
  sealed = true
  let list = ''
  for (let i = 0; i < types.length; i += 1) list += (i === 0 ? '' : ',') + stringify(types[i])
  tell(kinds.loaded, '[' + list + ']')
}

// --- stoa.<part>.<verb>(input)
let textCharsMax = 0
const fillFailure = (failure, code, message, details) => {
  define(failure, 'message', message)
  define(failure, 'code', code)
  define(failure, 'details', details)
}
const waiting = create(null)
let lastCallId = 0
const makeHostFunction = (name) => {
  return (input) => {
    // Made here and not when the answer comes, so that the stack shows who asked.
    const failure = new NativeError('')
    return new NativePromise((resolve, reject) => {
      const given = input === undefined ? 'null' : stringify(input)
      if (typeof given !== 'string') throw new NativeTypeError(name + '(): the input is not JSON')
      if (given.length > textCharsMax) {
        fillFailure(failure, 'sandbox.input_too_large', name + '(): the input is too large', null)
        throw failure
      }
      lastCallId += 1
      waiting[lastCallId] = { resolve, reject, failure }
      tell(kinds.call, lastCallId + ' ' + name + ' ' + given)
    })
  }
}
const stoa = create(null)
const facets = [stoa]
for (const name of config.hostFunctions) {
  const path = name.split('.')
  let facet = stoa
  for (const part of path.slice(0, -1)) {
    if (facet[part] === undefined) { facet[part] = create(null); facets.push(facet[part]) }
    facet = facet[part]
  }
  facet[path[path.length - 1]] = freeze(makeHostFunction(name))
}
for (const facet of facets) freeze(facet)

const settle = (id, reply) => {
  const call = waiting[id]
  if (call === undefined) return
  delete waiting[id]
  if (reply.ok) { call.resolve(reply.value); return }
  fillFailure(call.failure, reply.error.code, reply.error.message, reply.error.details)
  call.reject(call.failure)
}

// --- running and describing what was thrown
const ownText = (value, length) => (typeof value === 'string' ? cut(value, length) : '')
const describe = (thrown) => {
  let name = '', message = '', stack = '', code = '', internal = false
  try {
    if ((typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function') {
      internal = getPrototypeOf(thrown) === internalErrorPrototype
      name = ownText(thrown.name, 100)
      message = ownText(thrown.message, 2000)
      stack = ownText(thrown.stack, 4000)
      code = ownText(thrown.code, 100)
    } else {
      message = cut(toText(thrown), 2000)
    }
  } catch (_) {
    message = 'what was thrown cannot be described'
  }
  return '{"name":' + stringify(name) + ',"message":' + stringify(message) + ',"stack":' + stringify(stack) +
    ',"code":' + stringify(code) + ',"internal":' + internal + '}'
}
// Given back when something is thrown: after an out-of-memory there must be room to say so.
let reserve = new ArrayBuffer(65536)
const fail = (thrown) => {
  reserve = undefined
  tell(kinds.failed, describe(thrown))
}
const run = async (type, event) => {
  try {
    const handler = handlers[type]
    if (handler === undefined) { tell(kinds.missing, ''); return }
    const value = await apply(handler, undefined, [event, stoa])
    const result = value === undefined ? 'null' : stringify(value)
    tell(kinds.done, typeof result === 'string' ? result : 'null')
  } catch (thrown) {
    fail(thrown)
  }
}

return function receive(text, thrown) {
  const message = parse(text)
  if (message.kind === 'describe') fail(thrown)
  else if (message.kind === 'seal') seal()
  else if (message.kind === 'reply') settle(message.id, message.reply)
  else if (message.kind === 'run') {
    logCharsMax = message.logCharsMax
    textCharsMax = message.textCharsMax
    seed(message.seed)
    run(message.type, message.event)
  }
}
})`

/**
 * The guest's first script: an expression whose value is `(host, configText) => receive`. `host(kind, length, text)` is
 * the only way out, `receive(text)` the only way in; both carry JSON text.
 */
export const bootstrapSource: string = text
