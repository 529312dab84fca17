import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './repository.ts'

/** One fenced block of a Markdown page. */
export interface Fence {
  /** `README.md:12`, the opening line. */
  readonly place: string
  readonly language: string
  /** What stands after the language: `not-run`. */
  readonly flags: readonly string[]
  readonly text: string
}

/** Every fenced block of a page, those inside lists included. */
export function readFences(path: string, markdown: string): Fence[] {
  const fences: Fence[] = []
  let open: { fence: string; indent: number; info: string; line: number; lines: string[] } | undefined
  markdown.split('\n').forEach((line, index) => {
    const match = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(line)
    if (open === undefined) {
      if (match === null) return
      const [, indent = '', fence = '', info = ''] = match
      open = { fence, indent: indent.length, info: info.trim(), line: index + 1, lines: [] }
      return
    }
    if (match?.[2]?.startsWith(open.fence) === true && match[3] === '') {
      const [language = '', ...flags] = open.info.split(/\s+/)
      fences.push({ place: `${path}:${open.line}`, language, flags, text: open.lines.join('\n') })
      open = undefined
      return
    }
    open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))))
  })
  if (open !== undefined) throw new Error(`${path}:${open.line}: the fence is not closed`)
  return fences
}

/** A block that a test runs. */
export function isRun(fence: Fence): boolean {
  return fence.language === 'sh' && !fence.flags.includes('not-run')
}

/** The npm commands that .ci/run runs as steps of their own; running them here again would only take time. */
export function commandsOfCi(script: string): string[] {
  const steps = [...script.matchAll(/^(?:.* )?(?:step|tests) '[^']+' (npm [a-z:]+(?: [a-z:]+)?)/gm)]
  return [...new Set(steps.map(([, command = '']) => command))]
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** A copy of the tree as a fresh clone would have it, plus node_modules (hard links where the disk allows it). */
function copyTree(target: string): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  })
  for (const path of listed.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    cpSync(join(repositoryRoot, path), join(target, path), { force: true })
  }
  const modules = [join(repositoryRoot, 'node_modules'), join(target, 'node_modules')]
  try {
    execFileSync('cp', ['-al', ...modules], { stdio: 'ignore' })
  } catch {
    rmSync(join(target, 'node_modules'), { recursive: true, force: true })
    execFileSync('cp', ['-a', ...modules])
  }
}

// A reader's shell has none of these.
const notAReaders = /^(npm_|VITEST|NODE_ENV$|TEST$|DATABASE_URL$|REDIS_URL$|STOA_|TINYPOOL|FORCE_COLOR$)/

export interface RunResult {
  readonly code: number | null
  /** Both streams, in order. */
  readonly output: string
}

/** Runs the blocks of one page, in order and in one shell, in a fresh copy of the tree. */
export async function runPage(fences: readonly Fence[], timeoutMs: number): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'stoa-docs-'))
  const tree = join(folder, 'tree')
  try {
    copyTree(tree)
    const port = String(await freePort())
    const clones = fences.some(({ text }) => /\bgit clone\b/.test(text))
    const reader = Object.entries(process.env).filter(([name]) => !notAReaders.test(name))
    return await runScript(pageScript(fences, port), {
      cwd: clones ? folder : tree,
      timeoutMs,
      env: {
        ...Object.fromEntries(reader),
        NO_COLOR: '1',
        PORT: port,
        DOCS_TREE: tree,
        DOCS_LOG: join(folder, 'platform.log'),
        DOCS_COVERED: commandsOfCi(readFileSync(join(repositoryRoot, '.ci/run'), 'utf8')).join('\n'),
      },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function pageScript(fences: readonly Fence[], port: string): string {
  const prelude = readFileSync(join(repositoryRoot, 'test/docs/prelude.sh'), 'utf8')
  const blocks = fences.map(({ place, text }) => {
    const commands = text.replaceAll(/\b(127\.0\.0\.1|localhost):4000\b/g, `$1:${port}`)
    return `printf '\\n=== %s\\n' '${place}'\n${commands}`
  })
  return [prelude, ...blocks].join('\n')
}

interface ScriptOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly timeoutMs: number
}

function runScript(script: string, { cwd, env, timeoutMs }: ScriptOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that what a block leaves in the background ends with it.
    const shell = spawn('bash', ['-c', `exec 2>&1\n${script}`], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    shell.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const endGroup = (signal: NodeJS.Signals) => {
      try {
        if (shell.pid !== undefined) process.kill(-shell.pid, signal)
      } catch {
        // The group is empty: nothing was left behind.
      }
    }
    // SIGTERM lets the trap stop the platform; the second signal is for what ignores the first.
    const timer = setTimeout(() => {
      output += `\n=== not done after ${timeoutMs} ms`
      endGroup('SIGTERM')
      setTimeout(() => endGroup('SIGKILL'), 6_000).unref()
    }, timeoutMs)
    shell.on('error', reject)
    shell.on('exit', (code) => {
      clearTimeout(timer)
      endGroup('SIGKILL')
      resolve({ code, output })
    })
  })
}
