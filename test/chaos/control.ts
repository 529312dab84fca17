import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The body of a request as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** Listens on a free loopback port and prints its address the way Stoa does. */
export async function serve(listener: RequestListener): Promise<void> {
  // A connection is kept for as long as the run: one closed in the moment it is used would be a fault nobody ordered.
  const server = createServer({ keepAliveTimeout: 0 }, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
}

/** Ends this process when the one that started it is gone, and after `limitMs` at the latest. */
export function endWithParent(limitMs: number): void {
  const parentId = process.ppid
  const started = performance.now()
  setInterval(() => {
    if (process.ppid !== parentId || performance.now() - started > limitMs) process.exit(1)
  }, 1_000)
}

/** A required environment variable. */
export function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

/** Calls the control address of one of our own programs. */
export async function ask<T>(url: string, body?: unknown): Promise<T> {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(url, { ...sent, signal: AbortSignal.timeout(20_000) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}
