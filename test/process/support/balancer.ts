import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { StoaProcess } from './stoa.ts'

/** What stands in front of the nodes: the one address that apps and browsers know. */
export interface Balancer {
  readonly url: string
  /** New connections go to this `host:port` from now on. */
  sendTo(address: string): void
  /**
   * From now on no byte of an answer is passed on. Resolves with the first that a node has sent: it has done what it was
   * asked for, and whoever asked will not hear of it.
   */
  loseAnswers(): Promise<void>
  /** Passes answers on again, over new connections. */
  passAnswers(): void
  close(): Promise<void>
}

/** `host:port` of a node whose public address is the balancer's. */
export async function socketOf(stoa: StoaProcess): Promise<string> {
  return (await stoa.printed(/^ {2}socket +(\S+)$/))[1] ?? ''
}

export async function startBalancer(): Promise<Balancer> {
  let target: { readonly host: string; readonly port: number } | null = null
  let onLost: (() => void) | null = null
  const open = new Set<Socket>()

  function keep(socket: Socket): Socket {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    // A node that was killed resets its connections; closing the other side says all there is to say.
    socket.on('error', () => undefined)
    return socket
  }

  const server = createServer((client) => {
    keep(client)
    if (target === null) {
      client.destroy()
      return
    }
    const node = keep(connect(target))
    client.on('data', (chunk) => node.write(chunk))
    node.on('data', (chunk) => {
      if (onLost === null) client.write(chunk)
      else onLost()
    })
    client.on('close', () => node.destroy())
    node.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendTo(address) {
      const { hostname, port } = new URL(`http://${address}`)
      target = { host: hostname, port: Number(port) }
    },
    loseAnswers: () =>
      new Promise((resolve) => {
        onLost = resolve
      }),
    passAnswers() {
      onLost = null
      for (const socket of open) socket.destroy()
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
