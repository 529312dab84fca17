import { Queue as BullQueue, Worker as BullWorker, createPostgresBackend } from 'bullmq'
import { Redis } from 'ioredis'
import { Pool } from 'undici'
import type { Db } from '../../../src/db/index.ts'
import type { Place } from '../places.ts'
import { type Post, signedHeaders } from './bare-loop.ts'
import type { World } from './world.ts'

// What facts there are of BullMQ's own: https://docs.bullmq.io/guide/workers/concurrency, "set it to a high value".
const concurrency = 50
const batch = 500

/** Where BullMQ keeps the jobs: in this database, or in a Redis. */
export type BullPlace = { readonly db: Db } | { readonly redisUrl: string }

/** On the same servers as the place itself. */
export function bullPlaceOf({ redisUrl }: Place, { fixture }: World): BullPlace {
  return redisUrl === undefined ? { db: fixture.db } : { redisUrl }
}

type Send = (job: { readonly data: Post }) => Promise<void>

/** A queue of this name and how to make its worker. */
function opened(place: BullPlace, name: string) {
  const worker = { concurrency, autorun: false }
  if ('redisUrl' in place) {
    const connection = new Redis(place.redisUrl, { maxRetriesPerRequest: null })
    return {
      queue: new BullQueue(name, { connection }),
      makeWorker: (send: Send) => new BullWorker(name, send, { ...worker, connection }),
      close: () => connection.disconnect(),
    }
  }
  const connection = place.db.pool
  return {
    queue: new BullQueue(name, { connection }, createPostgresBackend),
    makeWorker: (send: Send) => new BullWorker(name, send, { ...worker, connection }, createPostgresBackend),
    close: () => undefined,
  }
}

/**
 * The usual way to send webhooks from Node: one BullMQ job per delivery, a worker that signs and posts each, 50 at a
 * time, default settings. The jobs are added beforehand. Gives jobs per second.
 */
export async function runBullJobs(place: BullPlace, origin: string, posts: readonly Post[]): Promise<number> {
  const { queue, makeWorker, close } = opened(place, `bench-${process.pid}-${Date.now()}`)
  for (let from = 0; from < posts.length; from += batch) {
    await queue.addBulk(posts.slice(from, from + batch).map((data) => ({ name: 'deliver', data })))
  }

  const pool = new Pool(origin, { connections: concurrency })
  const key = Buffer.alloc(32, 7)
  let startedAtMs = 0
  let done = 0
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const worker = makeWorker(async ({ data }) => {
    const { body } = await pool.request({
      path: '/bull',
      method: 'POST',
      headers: signedHeaders(key, data),
      body: data.body,
    })
    await body.dump()
  })
  worker.on('error', () => undefined)
  worker.on('completed', () => {
    done += 1
    if (done === posts.length) finish()
  })
  await worker.waitUntilReady()
  startedAtMs = performance.now()
  void worker.run()
  await finished
  const seconds = (performance.now() - startedAtMs) / 1000
  await worker.close()
  await queue.obliterate({ force: true })
  await queue.close()
  await pool.close()
  close()
  return posts.length / seconds
}
