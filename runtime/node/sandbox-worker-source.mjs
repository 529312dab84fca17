// The entry of a sandbox thread that runs from TypeScript source. Node 22.18 and later read it themselves; for Node 20
// tsx is registered in this thread, whatever the main thread was started with. A build starts sandbox-worker.js itself.
if (!process.features.typescript) {
  const { register } = await import('tsx/esm/api')
  register()
}
await import('./sandbox-worker.ts')
