export const severities = ['info', 'warning', 'blocker'] as const

/** blocker: must not be approved. */
export type Severity = (typeof severities)[number]

/** Something an automatic check noticed. */
export interface Finding {
  readonly ruleId: string
  readonly severity: Severity
  readonly message: string
  /** Place in manifest.json. */
  readonly pointer: string | null
  /** File of the package. */
  readonly path: string | null
  /** Counts from 1. */
  readonly line: number | null
}

const messageLengthMax = 1000

/** Foreign text for a message: one that a database can keep and a page can show, and no longer than it has to be. */
export function quoted(text: string): string {
  // Node turns half a surrogate pair into U+FFFD here.
  const storable = Buffer.from(text.slice(0, messageLengthMax)).toString('utf8')
  return storable.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\n' ? ' ' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** Worst first; within a severity by rule and place. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const key = ({ ruleId, pointer }: Finding) => `${ruleId} ${pointer ?? ''}`
  return findings.toSorted(
    (a, b) =>
      severities.indexOf(b.severity) - severities.indexOf(a.severity) || key(a).localeCompare(key(b), 'en'),
  )
}
