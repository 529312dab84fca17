import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packageErrors, packageLimits, validateManifest } from '../../../runtime/package/index.ts'
import { fullManifest } from '../../unit/package/full-manifest.ts'
import { context } from '../../unit/package/manifests.ts'

const anyMember = fc.constantFrom(...Object.keys(fullManifest))

test('any JSON in place of any members gets an answer with codes of the table and pointers, never an exception', () => {
  fc.assert(
    fc.property(fc.dictionary(anyMember, fc.jsonValue({ maxDepth: 4 })), (changes) => {
      const answer = validateManifest({ ...fullManifest, ...changes }, context)
      if (answer.ok) return
      expect(answer.problems.length).toBeLessThanOrEqual(packageLimits.problemsMax)
      for (const { code, pointer } of answer.problems) {
        expect(packageErrors).toHaveProperty([code])
        expect(pointer).toMatch(/^(?:\/(?:[^~/]|~[01])*)*$/u)
      }
    }),
    { numRuns: 300 },
  )
})

test('leaving out members of ours never makes a manifest illegal as long as events keep their scopes', () => {
  const optional = [
    'stoa_names',
    'stoa_events',
    'stoa_redirect_uris',
    'stoa_egress_hosts',
    'window',
    'description',
  ]
  fc.assert(
    fc.property(fc.subarray(optional), (left) => {
      const manifest = Object.fromEntries(Object.entries(fullManifest).filter(([key]) => !left.includes(key)))
      expect(validateManifest(manifest, context)).toEqual({ ok: true, manifest })
    }),
  )
})
