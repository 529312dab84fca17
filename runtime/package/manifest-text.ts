import { makeProblem, type PackageErrorCode, type Problem, quote, type Result } from './errors.ts'
import { packageLimits } from './limits.ts'
import { toPointer } from './pointer.ts'

/**
 * Reads manifest.json more strictly than JSON.parse: a member that appears twice is refused, because a reviewer's eye
 * and a parser may take different ones, and so is text that PostgreSQL cannot keep in a jsonb column.
 */
export function readManifestText(bytes: Uint8Array): Result<unknown> {
  if (bytes.length > packageLimits.manifestBytesMax) {
    const message = `It has ${bytes.length} bytes; ${packageLimits.manifestBytesMax} are allowed.`
    return {
      ok: false,
      problems: [makeProblem('package.manifest_too_large', message, { path: 'manifest.json' })],
    }
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    const problems = checkJsonText(text)
    return problems.length === 0 ? { ok: true, value } : { ok: false, problems }
  } catch (error) {
    const reason = error instanceof Error ? quote(error.message) : 'unknown reason'
    const message = `The manifest cannot be read: ${reason}.`
    return {
      ok: false,
      problems: [makeProblem('package.manifest_not_json', message, { path: 'manifest.json' })],
    }
  }
}

/** An object or array that is open at some place of the text. */
interface Frame {
  /** null for an array. */
  readonly names: Set<string> | null
  /** Member name or index of the value that comes next. */
  key: string | number
  isNameNext: boolean
}

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gsu
const illegalText = /\0|\p{Cs}/u

/** Walks the tokens of text that JSON.parse has accepted. */
function checkJsonText(text: string): readonly Problem[] {
  const frames: Frame[] = []
  const problems: Problem[] = []
  for (const [found] of text.matchAll(token)) {
    const problem = found.startsWith('"') ? checkString(found, frames) : stepInto(found, frames)
    if (problem === null) continue
    problems.push(problem)
    if (problem.code === 'package.manifest_too_deep') break
  }
  return problems
}

function checkString(found: string, frames: readonly Frame[]): Problem | null {
  const value = String(JSON.parse(found))
  const frame = frames.at(-1)
  if (frame?.isNameNext !== true || frame.names === null) {
    return illegalText.test(value)
      ? at(frames, 'package.manifest_text_illegal', 'The text cannot be stored.')
      : null
  }
  const isRepeated = frame.names.has(value)
  frame.names.add(value)
  frame.key = value
  frame.isNameNext = false
  // `__proto__` as an own member is a trap for every piece of code that copies members one by one.
  if (illegalText.test(value) || value === '__proto__') {
    return at(frames, 'package.manifest_text_illegal', `A member cannot be named ${quote(value)}.`)
  }
  return isRepeated ? at(frames, 'package.manifest_member_repeated', `${quote(value)} appears twice.`) : null
}

function stepInto(mark: string, frames: Frame[]): Problem | null {
  const frame = frames.at(-1)
  if (mark === ',' && frame !== undefined) {
    if (typeof frame.key === 'number') frame.key += 1
    frame.isNameNext = frame.names !== null
  }
  if (mark === '}' || mark === ']') frames.pop()
  if (mark === '{') frames.push({ names: new Set(), key: '', isNameNext: true })
  if (mark === '[') frames.push({ names: null, key: 0, isNameNext: false })
  if (frames.length <= packageLimits.manifestDepthMax) return null
  const message = `More than ${packageLimits.manifestDepthMax} levels of nesting.`
  return at(frames.slice(0, -1), 'package.manifest_too_deep', message)
}

function at(frames: readonly Frame[], code: PackageErrorCode, message: string): Problem {
  return makeProblem(code, message, { pointer: toPointer(frames.map((frame) => frame.key)) })
}
