import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const socketLink = /^socket:\[(\d+)\]$/

function socketsOf(processId: number): ReadonlySet<string> {
  const folder = `/proc/${processId}/fd`
  const inodes = readdirSync(folder).map((name) => {
    try {
      return socketLink.exec(readlinkSync(`${folder}/${name}`))?.[1]
    } catch {
      // Closed since it was listed.
      return undefined
    }
  })
  return new Set(inodes.filter((inode) => inode !== undefined))
}

/**
 * The local ports of a process's IPv4 connections, as Linux lists them: by the port that a request came from the
 * receiver's side of it is matched with the process that sent it.
 */
export function portsOf(processId: number): ReadonlySet<number> {
  const inodes = socketsOf(processId)
  // proc(5): "sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …"
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
  const owned = rows.map((row) => row.trim().split(/\s+/)).filter((columns) => inodes.has(columns[9] ?? ''))
  return new Set(owned.map((columns) => Number.parseInt(columns[1]?.split(':')[1] ?? '', 16)))
}
