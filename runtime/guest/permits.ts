/**
 * The globals a mini-program keeps; the bootstrap deletes every other one, so what a newer engine adds stays out
 * until it is listed here. Left out on purpose: eval (what runs is what was reviewed), SharedArrayBuffer,
 * WeakRef and FinalizationRegistry (they show when memory is collected), InternalError (the engine's own).
 */
export const permittedGlobals = [
  ...['globalThis', 'undefined', 'NaN', 'Infinity'],
  ...[
    'Object',
    'Function',
    'Boolean',
    'Symbol',
    'Number',
    'BigInt',
    'String',
    'Math',
    'Date',
    'RegExp',
    'JSON',
  ],
  ...['Array', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Iterator', 'Promise', 'Proxy', 'Reflect'],
  ...[
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
    'TypeError',
    'URIError',
  ],
  ...['ArrayBuffer', 'DataView', 'Uint8ClampedArray', 'Int8Array', 'Uint8Array', 'Int16Array', 'Uint16Array'],
  ...[
    'Int32Array',
    'Uint32Array',
    'BigInt64Array',
    'BigUint64Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
  ],
  ...['parseInt', 'parseFloat', 'isNaN', 'isFinite', 'escape', 'unescape'],
  ...['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent'],
] as const
