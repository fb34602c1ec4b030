/**
 * Builds lnd and btcd from the Go module beside this file, once: the programs are kept outside git until the module or
 * Go changes.
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export interface Built {
  readonly lnd: string
  readonly btcd: string
  /** Absent when they were there already. */
  readonly seconds?: number
}

const here = import.meta.dirname
const cache = join(here, '../../../node_modules/.cache/gridstr-lnd')
/** What lnd v0.21 asks for. */
const NEEDED = [1, 25, 10] as const
/** Services that are left out of lnd unless named: invoices that hold, and payments that can be followed. */
const TAGS = 'invoicesrpc routerrpc'
const LINE_SECONDS = 10

/** Builds where needed, with progress in `say`. `missing` says in one line what this machine lacks. */
export async function buildLnd(
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<{ readonly built: Built } | { readonly missing: string }> {
  const go = await findGo()
  if ('missing' in go) return go
  const built = { lnd: join(cache, 'lnd'), btcd: join(cache, 'btcd') }
  const stamp = stampOf(go.version)
  const stampFile = join(cache, 'stamp')
  const fresh = existsSync(built.lnd) && existsSync(built.btcd) && existsSync(stampFile)
  if (fresh && readFileSync(stampFile, 'utf8') === stamp) return { built }
  mkdirSync(cache, { recursive: true })
  const began = Date.now()
  say(`building lnd and btcd with go ${go.version}: about five minutes the first time`)
  await compile(go.program, say, signal)
  writeFileSync(stampFile, stamp)
  const seconds = Math.round((Date.now() - began) / 1000)
  say(`built in ${seconds} s`)
  return { built: { ...built, seconds } }
}

async function findGo(): Promise<{ program: string; version: string } | { missing: string }> {
  const way = `install Go ${NEEDED.join('.')} or later (go.dev/dl) and put it on the PATH, or name it in GO`
  let old: string | undefined
  const named = process.env['GO']
  for (const program of named ? [named] : ['go', '/usr/local/go/bin/go']) {
    try {
      const { stdout } = await promisify(execFile)(program, ['env', 'GOVERSION'], { env: environment(), cwd: '/' })
      const version = stdout.trim().replace(/^go/, '')
      if (isEnough(version)) return { program, version }
      old = version
    } catch {
      // Not here: the next place may have it.
    }
  }
  return { missing: old === undefined ? `Go is not on this machine: ${way}.` : `Go ${old} is too old for lnd: ${way}.` }
}

function isEnough(version: string): boolean {
  const parts = version.split(/\D+/).map(Number)
  const at = NEEDED.findIndex((needed, i) => (parts[i] ?? 0) !== needed)
  return at < 0 || (parts[at] ?? 0) > (NEEDED[at] ?? 0)
}

/** The user's own settings of Go hold; no other Go is fetched, and no C compiler is needed. */
const environment = () => ({ GOTOOLCHAIN: 'local', ...process.env, CGO_ENABLED: '0' })

function stampOf(version: string): string {
  const hash = createHash('sha256').update(`${version} ${TAGS}`)
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(here, name)))
  return hash.digest('hex')
}

function compile(go: string, say: (line: string) => void, signal?: AbortSignal): Promise<void> {
  const argv = ['build', '-v', '-trimpath', '-tags', TAGS, '-o', `${cache}/`, 'tool']
  const child = spawn(go, argv, { cwd: here, env: environment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  // Go compiles in processes of its own: they go with it, and they leave the cores to others.
  const { pid } = child
  const stop = () => {
    if (pid !== undefined && child.exitCode === null) process.kill(-pid, 'SIGKILL')
  }
  if (pid !== undefined) setPriority(pid, 10)
  signal?.addEventListener('abort', stop, { once: true })
  process.once('exit', stop)
  const began = Date.now()
  let packages = 0
  const words: string[] = []
  createInterface({ input: child.stderr }).on('line', line => {
    if (/^[\w.-]+(\/[\w.@-]+)*$/.test(line)) packages++
    else if (!line.startsWith('go: downloading')) words.push(line)
  })
  const ticking = setInterval(
    () => say(`building: ${packages} packages after ${Math.round((Date.now() - began) / 1000)} s`),
    LINE_SECONDS * 1000,
  )
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      clearInterval(ticking)
      signal?.removeEventListener('abort', stop)
      process.removeListener('exit', stop)
      if (code === 0) resolve()
      else reject(new Error(`go build ended with ${code}:\n${words.slice(-20).join('\n')}`))
    })
  })
}
