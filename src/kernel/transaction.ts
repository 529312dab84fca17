/**
 * What a store function needs of the database. `src/db` fills both interfaces in by declaration merging, so that
 * parts which may import only the kernel (capability) can still pass a transaction on.
 */
// biome-ignore lint/suspicious/noEmptyInterface: src/db/types.ts merges the members in
export interface Queries {}

/** The same calls inside one transaction: everything commits together or nothing does. */
export interface Transaction extends Queries {}

/** A store function that has its database handle already: the member of a port. */
export type Bound<F> = F extends (handle: infer _Handle, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never
