import { execFileSync } from 'node:child_process'
import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { makeFolder, systemClock } from '../kernel/index.ts'
import { DbErrors } from './errors.ts'

/** Who holds a folder. A process id alone is not enough: it is given to another process one day. */
interface Holder {
  readonly pid: number
  /** When the process started, in the system's own words. */
  readonly started: string
  /** The boot of the machine and its process id namespace (container): elsewhere `pid` means nothing. */
  readonly machine: string
}

const heartbeatMs = 5_000
/** A holder that cannot be looked up (another machine or container) is dead after this many silent ms. */
const silenceMs = 4 * heartbeatMs

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

/** The start of a running process, or null when there is none with this id. */
function startOf(pid: number): string | null {
  if (process.platform === 'linux') {
    // proc_pid_stat(5): the name in parentheses may hold anything, so count from the last one.
    const fields = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
      ?.replace(/^.*\) /s, '')
      .split(' ')
    const [state, startTicks] = [fields?.[0], fields?.[19]]
    return startTicks === undefined || state === 'Z' || state === 'X' ? null : startTicks
  }
  if (attempt(() => process.kill(pid, 0)) === null) return null
  return (
    attempt(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()) ?? ''
  )
}

function thisMachine(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'))
  return `${boot ?? hostname()} ${namespace ?? ''}`
}

function isAlive(file: string, holder: Holder): boolean {
  if (holder.machine === thisMachine()) return startOf(holder.pid) === holder.started
  const lastBeatMs = attempt(() => statSync(file).mtimeMs) ?? 0
  return systemClock.nowMs() - lastBeatMs < silenceMs
}

function readHolder(file: string): { readonly text: string; readonly holder: Holder } | null {
  const text = attempt(() => readFileSync(file, 'utf8'))
  const holder = text === null ? null : attempt(() => JSON.parse(text) as Holder)
  return text === null || holder === null ? null : { text, holder }
}

// Complete at the moment it appears: written aside, then linked, and a link is never made over an existing file.
function tryCreate(file: string, holder: Holder): boolean {
  const draft = `${file}.${holder.pid}-${holder.started.replaceAll(/\W/g, '')}`
  closeSync(openSync(draft, 'w', 0o600))
  writeFileSync(draft, JSON.stringify(holder))
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

// Another process may have taken the dead lock over since it was read: then what was moved aside is a living one.
function removeDead(file: string, deadText: string): void {
  const aside = `${file}.dead-${process.pid}`
  if (attempt(() => renameSync(file, aside)) === null && attempt(() => statSync(aside)) === null) return
  if (attempt(() => readFileSync(aside, 'utf8')) !== deadText) attempt(() => linkSync(aside, file))
  rmSync(aside, { force: true })
}

/**
 * Takes `folder` for this process until the returned function is called or the process ends, also by kill -9.
 * @throws db.folder_in_use
 */
export function lockFolder(folder: string): () => void {
  makeFolder(folder)
  const file = path.join(folder, 'pglite.lock')
  const holder: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', machine: thisMachine() }
  for (let tries = 0; !tryCreate(file, holder); tries += 1) {
    const found = readHolder(file)
    if (found !== null && (isAlive(file, found.holder) || tries >= 3)) {
      throw DbErrors.folder_in_use(`${folder} is in use by process ${found.holder.pid}`)
    }
    if (found === null) rmSync(file, { force: true })
    else removeDead(file, found.text)
  }
  const beat = setInterval(() => {
    const nowS = systemClock.nowMs() / 1000
    attempt(() => utimesSync(file, nowS, nowS))
  }, heartbeatMs)
  beat.unref()
  return () => {
    clearInterval(beat)
    rmSync(file, { force: true })
  }
}
