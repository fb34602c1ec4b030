/**
 * Plays all promises of the relays room with one driver in a process of its own, for libraries that may end it.
 * @module
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Finding } from './suites/relays-findings.ts'

export type Driver = 'pool' | 'memory' | 'ndk' | 'relaypool'

/** One finding per promise, in their order; `no-crash` last. Rejects when the process ends without an answer. */
export async function measureDriver(driver: Driver): Promise<Finding[]> {
  const child = fork(fileURLToPath(new URL('relays-measure-child.ts', import.meta.url)), [driver], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--no-warnings'],
  })
  let errors = ''
  child.stderr?.on('data', chunk => {
    errors = (errors + String(chunk)).slice(-2_000)
  })
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as Finding[]))
    child.once('exit', code => reject(new Error(`${driver}: ended with code ${code} before it answered\n${errors}`)))
  })
}
