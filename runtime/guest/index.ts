export { bootstrapSource } from './bootstrap.ts'
export { permittedGlobals } from './permits.ts'
