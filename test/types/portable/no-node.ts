// Compiled together with runtime/ (without runtime/node) and src/sdk: proves that no Node type has slipped in there,
// through a package's own types for instance.

// @ts-expect-error: portable code has no process
export const node = process

// @ts-expect-error: portable code has Uint8Array, not Buffer
export const bytes = Buffer.from('')
