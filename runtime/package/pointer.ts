/** RFC 6901 pointer from member names and indexes: `['a/b', 0]` gives `/a~1b/0`. */
export function toPointer(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The keys of an RFC 6901 pointer: `/a~1b/0` gives `['a/b', '0']`. */
export function fromPointer(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}
