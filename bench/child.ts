/**
 * The other processes of a bench: started, waited for, asked by IPC, and ended with their parent.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'

export interface Child {
  /** What it said when it was ready. */
  readonly ready: Record<string, string>
  /** Sends a question with a number `n`; resolves with the answer that bears it, rejects where that says `trouble`. */
  ask<T extends object>(question: object): Promise<T>
}

/** Starts a file with arguments and adds it to `children`. */
export async function startChild(children: ChildProcess[], file: URL, ...args: string[]): Promise<Child> {
  const child = fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  children.push(child)
  const ready = await new Promise<Record<string, string>>((resolve, reject) => {
    child.once('message', message => resolve(message as Record<string, string>))
    child.once('exit', code => reject(new Error(`the ${args[0]} process ended with ${code}`)))
  })
  const waiting = new Map<number, (answer: object) => void>()
  child.on('message', (answer: { n: number }) => {
    waiting.get(answer.n)?.(answer)
    waiting.delete(answer.n)
  })
  let n = 0
  return {
    ready,
    async ask<T extends object>(question: object) {
      const numbered = { ...question, n: ++n }
      const answer = await new Promise<object>(resolve => {
        waiting.set(numbered.n, resolve)
        child.send(numbered)
      })
      if ('trouble' in answer) throw new Error(String(answer.trouble))
      return answer as T
    },
  }
}

/** Lets a process go and waits for its end. */
export const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || !child.connected) return resolve()
    child.once('exit', () => resolve())
    child.disconnect()
  })
