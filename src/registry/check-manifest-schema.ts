import { manifestSchema, type Problem, toSchemaProblems } from '../../runtime/package/index.ts'
import { compileViolations, type JsonSchema } from '../capability/index.ts'

const findViolations = compileViolations(manifestSchema)

/** Holds a parsed manifest against the published schema; every place in one answer. */
export function checkManifestSchema(manifest: unknown): readonly Problem[] {
  return toSchemaProblems(findViolations(manifest))
}

/** What /schemas/manifest.json answers. */
export function manifestSchemaDocument(): JsonSchema {
  return manifestSchema
}
