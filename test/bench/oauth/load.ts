import { type Dispatcher, Pool } from 'undici'
import type { Peer } from './peer.ts'

/** Kept connections; each sends its next request when it has the answer to the one before. */
export const connections = 16

/**
 * What is asked for, over and over, in this order: the memory adapter of the bare peer forgets what was not used among
 * the last thousand, so whatever issues tokens comes after what needs those that are there.
 */
export const kinds = ['read', 'write', 'introspection', 'refresh', 'token'] as const
export type Kind = (typeof kinds)[number]

type Ask = Pick<Dispatcher.RequestOptions, 'path' | 'method' | 'headers' | 'body'>

const form = 'application/x-www-form-urlencoded'

/** One connection's requests to one peer. A refresh goes on with the token that the answer before brought. */
interface Asker {
  ask(kind: Kind): Ask
  answered(kind: Kind, body: string): void
}

function makeAsker(peer: Peer, index: number): Asker {
  const own = peer.clients[index]
  if (own === undefined) throw new Error('more connections than authorizations')
  const basic = `Basic ${Buffer.from(`${peer.clientId}:${encodeURIComponent(peer.clientSecret)}`).toString('base64')}`
  const bearer = { authorization: `Bearer ${own.accessToken}` }
  let { refreshToken } = own
  const posted = (path: string, parameters: Readonly<Record<string, string>>): Ask => ({
    path,
    method: 'POST',
    headers: { authorization: basic, 'content-type': form },
    body: new URLSearchParams(parameters).toString(),
  })
  return {
    ask(kind) {
      switch (kind) {
        case 'read':
          return { path: own.readPath, method: 'GET', headers: bearer }
        case 'write':
          return {
            path: `/v1/storage/counter${index}`,
            method: 'PUT',
            headers: { ...bearer, 'content-type': 'application/json' },
            body: '{"value":{"printed":12}}',
          }
        case 'token':
          return posted('/oauth/token', { grant_type: 'client_credentials' })
        case 'refresh':
          return posted('/oauth/token', { grant_type: 'refresh_token', refresh_token: refreshToken })
        case 'introspection':
          return posted('/oauth/introspect', { token: own.accessToken })
      }
    },
    answered(kind, body) {
      if (kind === 'refresh') refreshToken = (JSON.parse(body) as { refresh_token: string }).refresh_token
      if (kind === 'introspection' && !body.includes('"active":true'))
        throw new Error(`the token of ${peer.origin} is not active`)
    },
  }
}

/** One peer under load. */
export interface Load {
  /** Answers per second over about `ms`. @throws at the first answer that is no success */
  measure(kind: Kind, ms: number): Promise<number>
  close(): Promise<void>
}

/** Connects to the peer. */
export function openLoad(peer: Peer): Load {
  const pool = new Pool(peer.origin, { connections })
  const askers = Array.from({ length: connections }, (_, index) => makeAsker(peer, index))
  return {
    async measure(kind, ms) {
      const endMs = performance.now() + ms
      const startedAtMs = performance.now()
      let count = 0
      const work = async (asker: Asker) => {
        while (performance.now() < endMs) {
          const { statusCode, body } = await pool.request(asker.ask(kind))
          const text = await body.text()
          if (statusCode !== 200) throw new Error(`${kind} at ${peer.origin}: ${statusCode} ${text}`)
          asker.answered(kind, text)
          count += 1
        }
      }
      await Promise.all(askers.map(work))
      return (count * 1000) / (performance.now() - startedAtMs)
    },
    close: () => pool.close(),
  }
}
