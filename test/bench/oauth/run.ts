import { median, round } from '../figures.ts'
import { findPlaces } from '../places.ts'
import { type Kind, kinds, type Load, openLoad } from './load.ts'
import { startPeer } from './peer.ts'

interface Sizes {
  readonly rounds: number
  readonly roundMs: number
  readonly warmMs: number
}

const fullSizes: Sizes = { rounds: 5, roundMs: 1_500, warmMs: 2_000 }
const smallSizes: Sizes = { rounds: 1, roundMs: 60, warmMs: 20 }

type Shares = { readonly [K in Kind]: number }

/** What the platform does as a share of what the bare peer does: medians over rounds in which the two alternate. */
async function compare(stoa: Load, bare: Load, sizes: Sizes, say: (line: string) => void): Promise<Shares> {
  const shares: Partial<Record<Kind, number>> = {}
  for (const kind of kinds) {
    const ratios: number[] = []
    // Code paths, statements and connections are warm before the clock starts.
    for (const load of [bare, stoa]) await load.measure(kind, sizes.warmMs)
    for (let n = 0; n < sizes.rounds; n += 1) {
      const barePerSecond = await bare.measure(kind, sizes.roundMs)
      const stoaPerSecond = await stoa.measure(kind, sizes.roundMs)
      ratios.push(stoaPerSecond / barePerSecond)
      say(
        `  ${kind}: bare ${barePerSecond.toFixed(0)}/s, platform ${stoaPerSecond.toFixed(0)}/s: ` +
          `${((100 * stoaPerSecond) / barePerSecond).toFixed(0)} %`,
      )
    }
    shares[kind] = median(ratios)
  }
  return shares as Shares
}

/** Runs it; gives the ratios of its last line: of PostgreSQL where there is one. */
export async function run(options: readonly string[]): Promise<object> {
  const say = (line: string) => console.log(line)
  const sizes = options.includes('--small') ? smallSizes : fullSizes
  const only = options.find((option) => option.startsWith('--only='))?.slice('--only='.length)
  const places = (await findPlaces(only, say)).filter(({ redisUrl }) => redisUrl === undefined)
  const barePeer = await startPeer('bare-server.ts', {})
  const bare = openLoad(barePeer)
  let shares: Shares | undefined
  try {
    for (const { name, kind } of places) {
      say(`── ${name}`)
      const peer = await startPeer('stoa-server.ts', { BENCH_PLACE: kind })
      const stoa = openLoad(peer)
      try {
        shares = await compare(stoa, bare, sizes, say)
      } finally {
        await stoa.close()
        await peer.stop()
      }
    }
  } finally {
    await bare.close()
    await barePeer.stop()
  }
  return {
    api_read_share_of_express: round(shares?.read),
    api_write_share_of_express: round(shares?.write),
    token_share_of_oidc_provider: round(shares?.token),
    refresh_share_of_oidc_provider: round(shares?.refresh),
    introspection_share_of_oidc_provider: round(shares?.introspection),
  }
}
