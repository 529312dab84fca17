/**
 * Bounds of a package. All are checked before a byte of it is used or stored.
 * The server prints the same values from its own table; test/unit/package/limits.test.ts keeps the two in step.
 */
export const packageLimits = {
  /** Size of the ZIP itself: mini-programs are small, and packages live in database rows. */
  packageBytesMax: 2 * 1024 * 1024,
  /** Entries in the ZIP, directories included, so that an archive of empty entries is bounded too. */
  filesMax: 512,
  /** All files together after unpacking: what one upload may cost in memory. */
  unpackedBytesMax: 10 * 1024 * 1024,
  /** Unpacked bytes per packed byte, for each file and for the package. A ZIP bomb is far above, text is below 20. */
  ratioMax: 100,
  /** Up to this size the ratio is not looked at: a small file of one repeated letter harms nobody. */
  ratioFreeBytes: 64 * 1024,
  /** UTF-8 bytes of one path: file systems allow 255 for a name, so every path can be written anywhere. */
  pathBytesMax: 255,
  /** Size of manifest.json: fifty scopes explained in two languages are about half of this. */
  manifestBytesMax: 64 * 1024,
  /** Levels of nesting in manifest.json; deeper JSON is an attack on recursive code. */
  manifestDepthMax: 32,
  /** Problems in one answer: nobody reads more, and a hostile package cannot make a huge answer. */
  problemsMax: 100,
} as const
