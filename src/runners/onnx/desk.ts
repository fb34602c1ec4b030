/**
 * The one who sits before the worker thread: starts it when there is work, tells a crash and a run without end from an
 * answer, and takes a fresh thread for the next batch then.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../clock.ts'
import { RunnerError } from '../runner.ts'
import type { Batch } from './batches.ts'
import type { Computed, WorkerTask, WorkerWord } from './worker.ts'

/** What is needed of a thread; a `Worker` of Node is one. */
export interface Thread {
  on(event: 'message', hear: (said: WorkerWord) => void): unknown
  on(event: 'error', hear: (error: unknown) => void): unknown
  on(event: 'exit', hear: (code: number) => void): unknown
  postMessage(said: unknown): void
  terminate(): Promise<unknown>
}

export interface DeskOptions {
  readonly clock: Clock
  /** The longest that one batch, or loading the graph, may take. */
  readonly hangMs: number
  start(): Thread
}

export interface Desk {
  /** One batch at a time. Rejects with `RunnerError`: for what the graph says, for a crash, and when it takes too long. */
  compute(batch: Batch): Promise<Computed>
  /** Ends the thread. Native code that runs is waited for. */
  close(): Promise<void>
}

/** A thread for this task. */
export const startWorker = (task: WorkerTask): Thread =>
  // Sources run as TypeScript, the package as JavaScript.
  new Worker(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url), {
    workerData: task,
  })

interface Crew {
  readonly worker: Thread
  /** Waits for the word about this batch, or about the start; rejects when the thread ends, or says nothing for too long. */
  word(id?: number): Promise<WorkerWord>
  readonly ready: Promise<void>
}

/** Opens a desk; its thread starts with the first batch. */
export function openDesk({ clock, hangMs, start }: DeskOptions): Desk {
  let crew: Crew | undefined
  let closed = false
  let count = 0

  const drop = (worker: Thread): void => {
    if (crew?.worker === worker) crew = undefined
    void worker.terminate()
  }

  function hire(): Crew {
    const worker = start()
    let hear: ((word: WorkerWord) => void) | undefined
    let fail: ((error: RunnerError) => void) | undefined
    const ended = (why: string): void => {
      drop(worker)
      fail?.(new RunnerError(`the thread of the model ${why}; the next piece of work gets a fresh one`))
    }
    worker.on('message', (said: WorkerWord) => hear?.(said))
    worker.on('error', error => ended(`crashed: ${error instanceof Error ? error.message : error}`))
    worker.on('exit', code => ended(`ended with code ${code}`))
    const word = (id?: number) =>
      new Promise<WorkerWord>((resolve, reject) => {
        const cancel = clock.after(hangMs, () => ended(`took longer than ${hangMs} ms`))
        hear = said => {
          if (said.says === 'ready' ? id !== undefined : said.id !== id) return
          cancel()
          resolve(said)
        }
        fail = error => {
          cancel()
          reject(error)
        }
      })
    const ready = word().then(said => {
      if (said.says === 'ready') return
      drop(worker)
      throw new RunnerError(`the model cannot be loaded: ${said.says === 'failed' ? said.why : said.says}`)
    })
    ready.catch(() => undefined)
    return { worker, word, ready }
  }

  return {
    async compute(batch) {
      if (closed) throw new RunnerError('the onnx runner is closed')
      crew ??= hire()
      const { worker, word, ready } = crew
      await ready
      const id = count++
      const answer = word(id)
      worker.postMessage({ id, batch })
      const said = await answer
      if (said.says === 'computed') return said.computed
      throw new RunnerError(`the graph failed: ${said.says === 'failed' ? said.why : said.says}`)
    },
    async close() {
      closed = true
      await crew?.worker.terminate()
    },
  }
}
