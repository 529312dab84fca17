export type * from '../abi/index.ts'
export { packFiles, packFolder } from './pack-folder.ts'
export { makeSandboxPool, type SandboxPool, type SandboxPoolOptions } from './pool.ts'
