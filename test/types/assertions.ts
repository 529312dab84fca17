// Nothing here runs; the assertion is that `tsc -p test/types` compiles.

/** True only for identical types: `any`, a wider and a narrower type all differ. */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `type _name = Assert<Equals<A, B>>` */
export type Assert<Condition extends true> = Condition
