/**
 * Daemons in a folder of their own, which end with this process whatever becomes of it.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Order, Said } from './keeper.ts'

export interface Kept {
  readonly folder: string
  /** Starts a program; resolves when it runs. */
  start(name: string, program: string, argv: readonly string[]): Promise<void>
  /** Kills it and waits for its end. */
  stop(name: string): Promise<void>
  /** How a daemon ended, where it did. */
  over(name: string): string | undefined
  /** Its last lines of output. */
  says(name: string): string
  /** Resident memory of all daemons, where the system tells. */
  memoryBytes(): number
  /** Ends all and removes the folder. */
  close(): Promise<void>
}

/** Opens an empty folder with a keeper beside it. */
export function openKept(): Kept {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-lnd-'))
  // In a session of its own: Ctrl-C reaches this process first, which then ends things in order.
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), folder], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>(resolve => keeper.once('exit', () => resolve()))
  const pids = new Map<string, number>()
  const overs = new Map<string, string>()
  const looking = new Set<() => void>()
  createInterface({ input: keeper.stdout }).on('line', line => {
    const { name, pid, over } = JSON.parse(line) as Said
    if (pid !== undefined) pids.set(name, pid)
    if (over !== undefined) {
      overs.set(name, over)
      pids.delete(name)
    }
    for (const look of [...looking]) look()
  })
  keeper.stdin.on('error', () => {})
  const order = (one: Order) => void keeper.stdin.write(`${JSON.stringify(one)}\n`)
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!holds()) return
        looking.delete(look)
        resolve()
      }
      looking.add(look)
      void ended.then(() => reject(new Error('The keeper of the daemons is gone.')))
      look()
    })

  return {
    folder,
    async start(name, program, argv) {
      overs.delete(name)
      order({ start: name, program, argv })
      await until(() => pids.has(name) || overs.has(name))
    },
    async stop(name) {
      if (overs.has(name)) return
      order({ stop: name })
      await until(() => overs.has(name))
    },
    over: name => overs.get(name),
    says: name => readFileSync(join(folder, `${name}.log`), 'utf8').slice(-1_500),
    memoryBytes: () => [...pids.values()].reduce((sum, pid) => sum + residentBytes(pid), 0),
    async close() {
      keeper.stdin.end()
      await ended
    },
  }
}

function residentBytes(pid: number): number {
  try {
    const said = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(said?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
