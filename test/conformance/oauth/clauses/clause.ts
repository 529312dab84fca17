/**
 * Clauses of one standard by their stable id, `<standard>-<section>-<what it is about>`: the words of the standard, and
 * what Stoa does, which is also what the clause's test shows.
 */
export type ClauseTable = Readonly<Record<string, readonly [quotation: string, stoa: string]>>

export interface Clause {
  readonly id: string
  /** “RFC 6749 §2.3” */
  readonly place: string
  readonly quotation: string
  readonly stoa: string
}

const idForm = /^(rfc(\d+)|oauth2\.1)-(\d+(?:\.\d+)*)-[a-z0-9]+(?:-[a-z0-9]+)*$/

export function clausesOf(table: ClauseTable): readonly Clause[] {
  return Object.entries(table).map(([id, [quotation, stoa]]) => {
    const [, standard, rfc, section] = idForm.exec(id) ?? []
    if (standard === undefined) throw new Error(`${id} is no clause id`)
    const name = rfc === undefined ? 'OAuth 2.1 (draft 05)' : `RFC ${rfc}`
    return { id, place: `${name} §${section}`, quotation, stoa }
  })
}
