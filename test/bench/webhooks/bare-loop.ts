import { createHmac } from 'node:crypto'
import { Pool } from 'undici'

export interface Post {
  readonly eventId: string
  readonly body: string
}

/** What every delivery of the platform carries too. */
export function signedHeaders(key: Buffer, { eventId, body }: Post): Record<string, string> {
  const sentAtS = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', key).update(`${eventId}.${sentAtS}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'user-agent': 'Bare-Loop/1.0',
    'webhook-id': eventId,
    'webhook-timestamp': String(sentAtS),
    'webhook-signature': `v1,${signature}`,
    'webhook-sequence': '1',
    'webhook-attempt': '1',
  }
}

/**
 * What undici does when it has nothing else to do: signs and posts each body once, `connections` at a time over kept
 * connections, and reads the answers. Nothing is looked up, checked or recorded. Gives posts per second.
 */
export async function runBareLoop(
  origin: string,
  posts: readonly Post[],
  connections: number,
): Promise<number> {
  const pool = new Pool(origin, { connections })
  const key = Buffer.alloc(32, 7)
  const rest = posts.values()
  const work = async () => {
    for (const post of rest) {
      const { statusCode, body } = await pool.request({
        path: '/bare',
        method: 'POST',
        headers: signedHeaders(key, post),
        body: post.body,
      })
      await body.dump()
      if (statusCode !== 200) throw new Error(`the receiver answered ${statusCode}`)
    }
  }
  const startedAtMs = performance.now()
  await Promise.all(Array.from({ length: connections }, work))
  const seconds = (performance.now() - startedAtMs) / 1000
  await pool.close()
  return posts.length / seconds
}
