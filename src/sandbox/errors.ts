import { defineErrors } from '../kernel/index.ts'

export const SandboxErrors = defineErrors('sandbox', {
  installation_gone: {
    status: 403,
    title: 'The merchant has uninstalled the app',
    fix: 'Nothing can be read or written for this merchant any more.',
  },
  host_function_unknown: {
    status: 404,
    title: 'The platform has no such host function',
    fix: 'Use a host function that the platform declares; the types of the mini-program list them.',
  },
})

/** Why a handler was not run: `error` of the attempt. What a run itself ends with is the engine's table. */
export const sandboxFailures = {
  'sandbox.version_missing': {
    title: 'No release fits what the merchant has granted',
    fix: 'Release a version whose required scopes are granted, or resume the halted release.',
  },
} as const

export type SandboxFailureCode = keyof typeof sandboxFailures
