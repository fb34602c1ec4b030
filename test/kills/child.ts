/**
 * A role's process as the coordinator sees it.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Role, Setting } from './setting.ts'

export type News = Readonly<Record<string, unknown>>

export interface Child {
  readonly role: Role
  readonly alive: boolean
  /** True once it answers; false when it died before. */
  readonly ready: Promise<boolean>
  /** How it ended: `SIGKILL`, or what went wrong. */
  readonly ended: Promise<string>
  /** The answer, or `undefined` when it dies before it gives one. */
  ask(say: string, more?: object): Promise<unknown>
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a role. Its compiled code is kept in `cache` for the next life. */
export function startChild(setting: Setting, cache: string, onNews: (news: News) => void): Child {
  const child = fork(join(import.meta.dirname, 'role.ts'), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  })
  running.add(child)
  const asked = new Map<number, (answer: unknown) => void>()
  let alive = true
  let n = 0
  let isReady = (_: boolean) => {}
  const ready = new Promise<boolean>(resolve => {
    isReady = resolve
  })
  child.on('message', (news: News) => {
    if (news['ready']) return isReady(true)
    const answers = asked.get(Number(news['answers'] ?? -1))
    if (!answers) return onNews(news)
    asked.delete(Number(news['answers']))
    answers(news['answer'])
  })
  // A killed process may leave the coordinator's last word without a reader.
  child.on('error', () => {})
  const ended = new Promise<string>(resolve => {
    child.once('exit', (code, signal) => {
      alive = false
      running.delete(child)
      isReady(false)
      for (const answer of asked.values()) answer(undefined)
      asked.clear()
      resolve(signal ?? `exit ${code}`)
    })
  })
  const send = (message: object) => child.connected && child.send(message, () => {})
  send(setting)
  return {
    role: setting.role,
    get alive() {
      return alive
    },
    ready,
    ended,
    ask: (say, more = {}) =>
      new Promise(resolve => {
        if (!alive) return resolve(undefined)
        asked.set(++n, resolve)
        send({ ...more, say, n })
      }),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
