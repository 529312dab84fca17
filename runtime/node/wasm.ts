import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { engineBinary } from '../engine/binary.ts'

/** Compiles the engine's binary once; threads share the compiled code. */
export async function compileEngine(): Promise<WebAssembly.Module> {
  const through = createRequire(import.meta.url).resolve(engineBinary.through)
  return WebAssembly.compile(await readFile(createRequire(through).resolve(engineBinary.wasm)))
}
