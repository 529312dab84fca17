import { type InputProblem, limits } from '../kernel/index.ts'
import { checkScript } from './check-script.ts'
import { RegistryErrors } from './errors.ts'

const pointer = '/stoa_handlers'

/** The file the manifest names as its handlers, as far as an unchecked manifest can tell. */
function handlersPathOf(manifest: unknown): string | null {
  if (typeof manifest !== 'object' || manifest === null || !Object.hasOwn(manifest, 'stoa_handlers'))
    return null
  const path: unknown = Reflect.get(manifest, 'stoa_handlers')
  return typeof path === 'string' ? path.normalize('NFC') : null
}

function problem(error: 'handlers_syntax' | 'handlers_too_large' | 'handlers_too_complex', message: string) {
  const { code, definition } = RegistryErrors[error]
  return { pointer, code, message, ...(definition.fix === undefined ? {} : { fix: definition.fix }) }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Whether the handlers of a package can be parsed at all; each problem says file, line and column. */
export async function checkHandlers(
  manifest: unknown,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<readonly InputProblem[]> {
  const path = handlersPathOf(manifest)
  const bytes = path === null ? undefined : files.get(path)
  if (path === null || bytes === undefined) return []
  if (bytes.length > limits.handlersBytesMax) {
    const message = `${path} has ${bytes.length} bytes; ${limits.handlersBytesMax} are allowed.`
    return [problem('handlers_too_large', message)]
  }
  const source = decode(bytes)
  if (source === null) return [problem('handlers_syntax', `${path} is not UTF-8.`)]
  const result = await checkScript(source)
  switch (result.kind) {
    case 'ok':
      return []
    case 'syntax':
      return result.problems.map(({ line, column, message }) =>
        problem('handlers_syntax', `${path}:${line}:${column}: ${message}`),
      )
    case 'too_complex':
      return [problem('handlers_too_complex', `${path} was not read within ${limits.scriptCheckMs} ms.`)]
  }
}
