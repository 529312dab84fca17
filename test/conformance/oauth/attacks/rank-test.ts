interface Comparison {
  /** How surprising the difference of ranks is if there is none, in standard deviations. */
  readonly z: number
  /** How often a value of the second sample is larger than one of the first: a half when they are alike. */
  readonly larger: number
}

/** Mann and Whitney’s test of two samples: whether values of one tend to be larger, whatever their distribution. */
export function compareRanks(first: readonly number[], second: readonly number[]): Comparison {
  const [n, m] = [first.length, second.length]
  let wins = 0
  for (const a of first) for (const b of second) wins += b > a ? 1 : b === a ? 0.5 : 0
  const deviation = Math.sqrt((n * m * (n + m + 1)) / 12)
  return { z: (wins - (n * m) / 2) / deviation, larger: wins / (n * m) }
}

/**
 * Whether a clock tells the two samples apart well enough to be of use: the difference is no accident (six standard
 * deviations are one in a billion), and nine of ten values of one lie beyond those of the other. A password hash that
 * runs in one case only is found with twenty samples; one row more or less in a cache is not, nor is a busy machine.
 */
export function tellsApart(first: readonly number[], second: readonly number[]): boolean {
  const { z, larger } = compareRanks(first, second)
  return Math.abs(z) > 6 && Math.abs(larger - 0.5) > 0.4
}
