import { isIP, Socket, type SocketConnectOpts } from 'node:net'
import { isLoopbackAddress } from '../../src/kernel/index.ts'

/** Hosts a test may connect to besides loopback: the servers named in the environment. */
function namedHosts(): ReadonlySet<string> {
  const addresses = [process.env['DATABASE_URL'], process.env['REDIS_URL']]
  return new Set(addresses.flatMap((address) => (address ? [new URL(address).hostname] : [])))
}

// connect(options), connect([options]) as net.connect calls it, connect(port, host). A path is a local socket.
function targetHost(args: readonly unknown[]): string | undefined {
  const [first, second] = args
  if (typeof first === 'number') return typeof second === 'string' ? second : 'localhost'
  const options = Array.isArray(first) ? (first[0] as SocketConnectOpts) : first
  if (typeof options !== 'object' || options === null || !('port' in options)) return undefined
  return 'host' in options && typeof options.host === 'string' ? options.host : 'localhost'
}

function isAllowed(host: string): boolean {
  if (host === 'localhost' || (isIP(host) !== 0 && isLoopbackAddress(host))) return true
  return namedHosts().has(host)
}

const marker = Symbol.for('stoa.test.loopback-only')
const prototype: Socket & { [marker]?: true } = Socket.prototype

// Set-up files run once per test file; without isolation that is several times per process.
if (prototype[marker] === undefined) {
  prototype[marker] = true
  const connect = prototype.connect
  prototype.connect = function guarded(this: Socket, ...args: unknown[]) {
    const host = targetHost(args)
    if (host !== undefined && !isAllowed(host)) throw new Error(`a test tried to leave this machine: ${host}`)
    return Reflect.apply(connect, this, args) as Socket
  } as typeof connect
}
