/** Where the engine's Wasm binary is found: resolve `wasm` from the package `through`. */
export const engineBinary = {
  through: 'quickjs-emscripten',
  wasm: '@jitl/quickjs-wasmfile-release-sync/wasm',
} as const
