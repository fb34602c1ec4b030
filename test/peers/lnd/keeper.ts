/**
 * A process that owns daemons for another one: when that one ends, however it ends, the daemons die and their folder
 * goes. `node keeper.ts <folder>`; orders are JSON lines on stdin, and the end of stdin is the end of everything.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Starts a program whose output goes to `<name>.log`, or ends the one of that name. */
export type Order =
  | { readonly start: string; readonly program: string; readonly argv: readonly string[] }
  | { readonly stop: string }

/** What the keeper says on stdout: a daemon runs, or is over. */
export interface Said {
  readonly name: string
  readonly pid?: number
  readonly over?: string
}

keep(process.argv[2] ?? '')

function keep(folder: string): void {
  if (folder === '') throw new Error('Name the folder of the daemons.')
  const running = new Map<string, ChildProcess>()
  let ending = false
  const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`)

  function obey(order: Order): void {
    if ('stop' in order) return void running.get(order.stop)?.kill('SIGKILL')
    const { start: name, program, argv } = order
    const log = openSync(join(folder, `${name}.log`), 'a')
    // A home of its own, because both daemons read settings from the home of whoever starts them.
    const env = { HOME: folder, PATH: process.env['PATH'] ?? '' }
    const child = spawn(program, argv, { cwd: folder, env, stdio: ['ignore', log, log] })
    closeSync(log)
    running.set(name, child)
    if (child.pid !== undefined) say({ name, pid: child.pid })
    let gone = false
    const over = (how: string) => {
      if (gone) return
      gone = true
      if (running.get(name) === child) running.delete(name)
      say({ name, over: how })
      if (ending) finish()
    }
    child.once('error', error => over(error.message))
    child.once('exit', (code, signal) => over(signal ?? `exit ${code}`))
  }

  function end(): void {
    if (ending) return
    ending = true
    for (const child of running.values()) child.kill('SIGKILL')
    finish()
  }

  function finish(): void {
    if (running.size > 0) return
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    process.exit(0)
  }

  // Whoever listened may be gone: that is no reason to leave daemons behind.
  process.stdout.on('error', () => end())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  createInterface({ input: process.stdin })
    .on('line', line => {
      if (!ending) obey(JSON.parse(line) as Order)
    })
    .on('close', end)
}
