import { createHash, randomBytes } from 'node:crypto'

/** The only source of chance: ids, secrets and jitter. */
export interface Random {
  /** Unpredictable bytes (the seeded one: repeatable bytes, for tests only). */
  bytes(count: number): Uint8Array
  /** A number in [0, 1). */
  fraction(): number
}

// A read of the system's source costs as much as signing a delivery; small requests share one. No byte is given twice.
const sharedSize = 4_096
let shared = Buffer.alloc(0)

function systemBytes(count: number): Buffer {
  if (count > sharedSize / 16) return randomBytes(count)
  if (shared.length < count) shared = randomBytes(sharedSize)
  const taken = shared.subarray(0, count)
  shared = shared.subarray(count)
  return taken
}

export const systemRandom: Random = {
  bytes: systemBytes,
  fraction: () => systemBytes(6).readUIntBE(0, 6) / 2 ** 48,
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
