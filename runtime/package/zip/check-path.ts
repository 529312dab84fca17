import { makeProblem, type PackageErrorCode, type Problem, quote } from '../errors.ts'
import { packageLimits } from '../limits.ts'

/** A rule that one path must keep, told by the sentence for which it is refused. */
interface PathRule {
  readonly code: PackageErrorCode
  readonly says: string
  readonly isBroken: (path: string) => boolean
}

/** Control, format (among them direction marks), private use, half surrogates, separators, specials, non-characters. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\ufff0-\uffff]/u

const drive = /^[A-Za-z]:/

/** Names that Windows opens as devices, whatever their extension. */
const device = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

const pathRules: readonly PathRule[] = [
  {
    code: 'package.path_too_long',
    says: `is longer than ${packageLimits.pathBytesMax} bytes`,
    isBroken: (path) => new TextEncoder().encode(path).length > packageLimits.pathBytesMax,
  },
  { code: 'package.path_backslash', says: 'contains a backslash', isBroken: (path) => path.includes('\\') },
  {
    code: 'package.path_absolute',
    says: 'is absolute',
    isBroken: (path) => path.startsWith('/') || drive.test(path),
  },
  {
    code: 'package.path_escapes',
    says: 'leaves the package',
    isBroken: (path) => path.split(/[/\\]/).includes('..'),
  },
  {
    code: 'package.path_control_character',
    says: 'contains an invisible or control character',
    isBroken: (path) => invisible.test(path),
  },
  {
    code: 'package.path_illegal',
    says: 'cannot be written on every system',
    isBroken: (path) => /["*:<>?|]/.test(path.replace(drive, '')) || segmentsOf(path).some(isIllegalSegment),
  },
]

/** Checks one path of the archive; returns every rule it breaks. */
export function checkPath(path: string): readonly Problem[] {
  return pathRules
    .filter((rule) => rule.isBroken(path))
    .map((rule) => makeProblem(rule.code, `The path ${quote(path)} ${rule.says}.`, { path }))
}

/**
 * Two paths with one key are the same file on some system: Unicode NFC, then case folded. Lower, upper and lower again
 * is full case folding as far as JavaScript has it (ß, ẞ, SS and ſs all become ss).
 */
export function pathKey(path: string): string {
  return path.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC')
}

/** The names in a path, without the empty one after a directory's slash. */
function segmentsOf(path: string): readonly string[] {
  return path.replace(/\/$/, '').split('/')
}

/** “..” has its own rule, and an empty first of several segments is an absolute path. */
function isIllegalSegment(segment: string, index: number, segments: readonly string[]): boolean {
  if (segment === '..') return false
  if (segment === '') return index > 0 || segments.length === 1
  return /^ |[. ]$/.test(segment) || device.test(segment)
}
