import type { Request } from 'express'
import { CapabilityErrors } from '../capability/index.ts'
import { limits } from '../kernel/index.ts'

/** Whether a page of another site sent it, as far as the browser tells. */
export function isFromAnotherSite({ headers }: Pick<Request, 'headers'>): boolean {
  const site = headers['sec-fetch-site']
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}

/** A cookie's value, or null. The first one wins, as RFC 6265 §5.4 orders them most specific first. */
export function readCookie(request: Pick<Request, 'headers'>, name: string): string | null {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return null
}

/** The raw body, when a parser has read one. */
export function rawBody(request: Request): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array()
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Levels of arrays and objects, counted as far as it matters; level by level, because recursion is what is at stake. */
function depthOf(value: object): number {
  let depth = 0
  let level: object[] = [value]
  while (level.length > 0 && depth <= limits.jsonDepthMax) {
    level = level.flatMap((item) => Object.values(item).filter(isContainer))
    depth += 1
  }
  return depth
}

/** The JSON object of a request body; an empty body is an empty object. */
export function parseJsonBody(request: Request): Readonly<Record<string, unknown>> {
  const bytes = rawBody(request)
  if (bytes.byteLength === 0) return {}
  if (request.is(['application/json', 'application/*+json']) === false)
    throw CapabilityErrors.unsupported_media_type()
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw CapabilityErrors.malformed_body(undefined, { cause: error })
  }
  if (!isContainer(value) || Array.isArray(value)) {
    throw CapabilityErrors.malformed_body('the body must be one JSON object')
  }
  if (depthOf(value) > limits.jsonDepthMax) {
    throw CapabilityErrors.malformed_body(`the body nests deeper than ${limits.jsonDepthMax} levels`)
  }
  return value as Readonly<Record<string, unknown>>
}
