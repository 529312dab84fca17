import { makeProblem, type Problem, quote } from './errors.ts'
import { stoaMemberNames, wordsFor } from './manifest-schema.ts'
import { didYouMean } from './nearest-name.ts'
import { fromPointer, toPointer } from './pointer.ts'

/** One violation as Ajv reports it (`ErrorObject`); named here because this code does not import Ajv. */
export interface SchemaViolation {
  /** RFC 6901 pointer to the value. */
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string | undefined
}

/** Words a schema validator's findings about `manifestSchema` for people, one problem for each. */
export function toSchemaProblems(violations: readonly SchemaViolation[]): readonly Problem[] {
  return violations.map(toProblem)
}

function toProblem(violation: SchemaViolation): Problem {
  const { instancePath, keyword, params } = violation
  if (keyword === 'required') {
    const name = String(params['missingProperty'])
    const pointer = instancePath + toPointer([name])
    return makeProblem('package.member_missing', `${quote(name)} is missing.`, { pointer })
  }
  if (keyword === 'additionalProperties') {
    const name = String(params['additionalProperty'])
    return unknownMember(name, { pointer: instancePath + toPointer([name]) })
  }
  // The only false subschema is the one for unknown members that begin with “stoa”, directly below the root.
  if (keyword === 'false schema') {
    const [name = ''] = fromPointer(instancePath)
    return unknownMember(name, { pointer: instancePath, ...didYouMean(name, stoaMemberNames) })
  }
  return invalidMember(violation)
}

function unknownMember(name: string, where: { readonly pointer: string; readonly fix?: string }): Problem {
  return makeProblem('package.member_unknown', `There is no member ${quote(name)} here.`, where)
}

function invalidMember({ instancePath, keyword, params, message }: SchemaViolation): Problem {
  const pointer = instancePath
  const place = instancePath === '' ? 'The manifest' : instancePath
  const words = keyword === 'pattern' ? wordsFor(String(params['pattern'])) : undefined
  if (words !== undefined) {
    return makeProblem('package.member_invalid', `${place} must be ${words}.`, {
      pointer,
      fix: `Write ${words}.`,
    })
  }
  const allowed = Array.isArray(params['allowedValues']) ? `: ${params['allowedValues'].join(', ')}` : ''
  return makeProblem('package.member_invalid', `${place} ${message ?? 'is not allowed'}${allowed}.`, {
    pointer,
  })
}
