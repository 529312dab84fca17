/** The authorization server and the API beside a bare oidc-provider and a bare Express, in one run. */
export const oauthBench = {
  summary: 'tokens, refresh, introspection and API calls beside bare oidc-provider and a bare Express route',
  options: [
    '--small           short rounds: shows that it runs, measures nothing',
    '--only=PLACE      pglite or postgresql',
  ],
  async run(options: readonly string[]): Promise<object> {
    const { run } = await import('./run.ts')
    return run(options)
  },
}
