import { createHash, randomBytes } from 'node:crypto'

/** The only source of chance: ids, secrets and jitter. */
export interface Random {
  /** Unpredictable bytes (the seeded one: repeatable bytes, for tests only). */
  bytes(count: number): Uint8Array
  /** A number in [0, 1). */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
}

/** SHA-256 in counter mode over a seed: the same seed gives the same run, which a simulation needs. */
export function seededRandom(seed: string): Random {
  let counter = 0
  const block = () => {
    counter += 1
    return createHash('sha256').update(`${seed}:${counter}`).digest()
  }
  return {
    bytes(count) {
      const chunks: Buffer[] = []
      for (let size = 0; size < count; size += 32) chunks.push(block())
      return Buffer.concat(chunks).subarray(0, count)
    },
    fraction: () => block().readUIntBE(0, 6) / 2 ** 48,
  }
}
