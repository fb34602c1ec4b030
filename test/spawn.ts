/**
 * Real processes of the command line for tests: every wait is for a line of output or for the end, with a bound.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const root = join(import.meta.dirname, '..')

export type Row = Readonly<Record<string, unknown>>

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Running {
  readonly name: string
  /** Lines of stdout and of stderr so far. */
  readonly out: readonly string[]
  readonly err: readonly string[]
  /** How it ended, once it has. */
  readonly ended: Exit | undefined
  /** The first JSON line of stdout, past ones included, for which `found` holds. Rejects at the end of the process or of `ms`. */
  row(found: (row: Row) => boolean, ms?: number): Promise<Row>
  /** The end. Rejects after `ms`, and ends the process then. */
  exit(ms?: number): Promise<Exit>
  /** SIGTERM; the exit code. Rejects when the process takes more than five seconds. */
  stop(): Promise<number | null>
  /** SIGKILL, and its end. */
  kill(): Promise<void>
}

/** Most that one wait may take on a busy machine. */
const patience = 25_000
const all = new Set<ChildProcess>()
const homes: string[] = []
process.once('exit', () => {
  for (const child of all) child.kill('SIGKILL')
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

/** A home folder of its own: no process of a test meets the keys, wallets and journals of another, or of a person. */
export function freshHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'gridstr-home-'))
  homes.push(home)
  return home
}

/** `gridstr …` in a process of its own, as a user starts it. */
export function gridstr(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  return start(argv[0] ?? 'gridstr', process.execPath, [join(root, 'bin/gridstr.mjs'), ...argv], {
    env: { GRIDSTR_HOME: env['GRIDSTR_HOME'] ?? freshHome(), ...env },
  })
}

/** Any program, watched line by line. */
export function start(
  name: string,
  program: string,
  argv: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Running {
  const child = spawn(program, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  all.add(child)
  const out: string[] = []
  const err: string[] = []
  const looking = new Set<() => void>()
  const look = () => {
    for (const one of [...looking]) one()
  }
  let ended: Exit | undefined
  for (const [stream, lines] of [
    [child.stdout, out],
    [child.stderr, err],
  ] as const)
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      look()
    })
  child.once('error', error => err.push(String(error)))
  child.once('close', (code, signal) => {
    ended = { code, signal }
    all.delete(child)
    look()
  })
  const told = () => `\n--- stdout of ${name}\n${out.join('\n')}\n--- stderr of ${name}\n${err.join('\n')}`

  /** Resolves with the first value that `find` gives. */
  const until = <T>(what: string, ms: number, find: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const settle = () => {
        const value = find()
        if (value === undefined && !ended) return
        clearTimeout(timer)
        looking.delete(settle)
        if (value === undefined) reject(new Error(`${name} ended (${ended?.code}) before ${what}${told()}`))
        else resolve(value)
      }
      const timer = setTimeout(() => {
        looking.delete(settle)
        child.kill('SIGKILL')
        reject(new Error(`${name}: no ${what} within ${ms} ms${told()}`))
      }, ms)
      looking.add(settle)
      settle()
    })

  const exit = (ms = patience) => until('end', ms, () => ended)
  return {
    name,
    out,
    err,
    get ended() {
      return ended
    },
    row: (found, ms = patience) => until('line', ms, () => rows(out).find(found)),
    exit,
    async stop() {
      child.kill('SIGTERM')
      return (await exit(5_000)).code
    },
    async kill() {
      child.kill('SIGKILL')
      await exit()
    },
  }
}

/** The lines that are JSON objects. */
export function rows(lines: readonly string[]): Row[] {
  return lines.flatMap(line => {
    try {
      const value: unknown = JSON.parse(line)
      return typeof value === 'object' && value !== null ? [value as Row] : []
    } catch {
      return []
    }
  })
}

/** The text at `key` of a line. */
export function textOf(row: Row, key: string): string {
  const value = row[key]
  if (typeof value !== 'string') throw new Error(`no text "${key}" in ${JSON.stringify(row)}`)
  return value
}

export const isReady = (row: Row): boolean => row['ready'] === true

/** A relay, two wallets on it, and a node that sells through one of them: what a paid story needs. */
export interface Town {
  readonly url: string
  readonly payer: string
  readonly payee: string
  readonly relay: Running
  readonly wallet: Running
  readonly node: Running
  readonly nodeKey: string
  /** A relay process again on the same port. */
  relayAgain(): Promise<Running>
  ask(argv: readonly string[], env?: Readonly<Record<string, string>>): Running
  /** Every process that was started, for their words. */
  readonly processes: readonly Running[]
  /** Ends all that still run; gives the exit code of each. */
  close(): Promise<Record<string, number | null>>
}

export async function openTown(options: { readonly db?: string; readonly node: readonly string[] }): Promise<Town> {
  const processes: Running[] = []
  const run = (argv: readonly string[], env?: Readonly<Record<string, string>>) => {
    const running = gridstr(argv, env)
    processes.push(running)
    return running
  }
  const keep = options.db === undefined ? [] : ['--db', options.db]
  const relay = run(['relay', '--port', '0', '--json', ...keep])
  const url = textOf(await relay.row(isReady), 'url')
  const wallet = run(['wallet', 'regtest', '--relay', url, '--json'])
  const wallets = await wallet.row(isReady)
  const [payer, payee] = [textOf(wallets, 'payer'), textOf(wallets, 'payee')]
  const node = run(['node', '--relay', url, '--json', ...options.node], { GRIDSTR_WALLET: payee })
  const nodeKey = textOf(await node.row(isReady), 'pubkey')
  return {
    url,
    payer,
    payee,
    relay,
    wallet,
    node,
    nodeKey,
    processes,
    async relayAgain() {
      const again = run(['relay', '--port', new URL(url).port, '--json', ...keep])
      await again.row(isReady)
      return again
    },
    ask: (argv, env) => run(['ask', '--relay', url, '--json', ...argv], env),
    async close() {
      const codes: Record<string, number | null> = {}
      // The relay last: the others must end well while it is there.
      for (const one of [...processes].reverse()) if (!one.ended) codes[one.name] = await one.stop()
      return codes
    },
  }
}
