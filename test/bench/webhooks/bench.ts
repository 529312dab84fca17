/** The event path beside its alternatives, in one run. */
export const webhooksBench = {
  summary: 'publish, relay and drain beside a bare undici loop and BullMQ with one job per delivery',
  options: [
    '--small           small counts: shows that it runs, measures nothing',
    '--only=PLACE      pglite, postgresql or postgresql+redis',
    '--no-neighbour    without the test of one hanging endpoint among many (45 s)',
  ],
  async run(options: readonly string[]): Promise<object> {
    const { run } = await import('./run.ts')
    return run(options)
  },
}
