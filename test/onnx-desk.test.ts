/** The thread of a model: one crash, one hang or one abort costs one piece of work and no more. */
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { readEmbeddings } from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { batchOf } from '../src/runners/onnx/batches.ts'
import { openDesk, startWorker } from '../src/runners/onnx/desk.ts'
import type { WorkerTask } from '../src/runners/onnx/worker.ts'
import { type OnnxOptions, onnxRunner } from '../src/runners/onnx.ts'
import { type Runner, RunnerError, type Work } from '../src/runners/runner.ts'
import { encoder, folderOf, modelFiles } from './onnx-world.ts'

const open: Runner[] = []
afterEach(async () => {
  for (const runner of open.splice(0)) await runner.close()
})
const model = folderOf(modelFiles(encoder))
const live = new AbortController().signal
const work = (...texts: string[]): Work => ({ id: 'w', kind: 5080, messages: [], texts })

/** A thread that answers like a model of two numbers, and does what it is told by the first id of a batch. */
const script = `
  const { parentPort: port } = require('node:worker_threads')
  port.on('message', ({ id, batch }) => {
    const word = Number(batch.ids[1])
    if (word === 5) process.exit(7)
    if (word === 6) throw new Error('out of memory')
    if (word === 7) return port.postMessage({ says: 'hanging', id: -1 })
    if (word === 8) return port.postMessage({ says: 'failed', id, why: 'bad shape' })
    const data = new Float32Array(batch.rows * 2).fill(1)
    port.postMessage({ says: 'computed', id, computed: { what: 'vectors', width: 2, data } })
  })
  port.postMessage({ says: 'ready' })
`
interface Thread {
  readonly started: Worker[]
  readonly runner: Runner
  readonly clock: ReturnType<typeof handClock>
}
function scripted(more: OnnxOptions = {}, code = script): Thread {
  const started: Worker[] = []
  const clock = handClock()
  const runner = onnxRunner({
    ...{ model, name: 'tiny', clock, hangMs: 1_000, ...more },
    startWorker: () => {
      const worker = new Worker(code, { eval: true })
      started.push(worker)
      return worker
    },
  })
  open.push(runner)
  return { started, runner, clock }
}
/** Words of the vocabulary by what they make the thread do. */
const [exits, throws, hangs, fails] = ['sky', 'is', 'blue', 'grass']
const vectorsOf = async (runner: Runner, ...texts: string[]) =>
  readEmbeddings((await runner.run(work(...texts), () => undefined, live)).text)?.vectors.length
const said = (worker: Worker | undefined, word: string) =>
  new Promise<void>(resolve => {
    worker?.on('message', (message: { says: string }) => message.says === word && resolve())
  })

describe('the thread', () => {
  test.each([
    ['ends', exits, 'ended with code 7'],
    ['crashes', throws, 'crashed: out of memory'],
  ])('%s: that work fails, the next gets a fresh one', async (_, word, says) => {
    const { runner, started } = scripted()
    expect(await vectorsOf(runner, 'a')).toBe(1)
    const failed = runner.run(work(word), () => undefined, live)
    await expect(failed).rejects.toThrow(RunnerError)
    await expect(failed).rejects.toThrow(says)
    expect(await vectorsOf(runner, 'a', 'b')).toBe(2)
    expect(started).toHaveLength(2)
  })

  test('reports a failure of the graph and lives on', async () => {
    const { runner, started } = scripted()
    await expect(vectorsOf(runner, fails)).rejects.toThrow('the graph failed: bad shape')
    expect(await vectorsOf(runner, 'a')).toBe(1)
    expect(started).toHaveLength(1)
  })

  test('hangs: it is given up after its bound, and what waited gets a fresh one', async () => {
    const { runner, started, clock } = scripted()
    await runner.models()
    const hanging = said(started[0], 'hanging')
    const lost = expect(vectorsOf(runner, hangs)).rejects.toThrow('took longer than 1000 ms')
    const waiting = vectorsOf(runner, 'a')
    await hanging
    await clock.advance(999)
    expect(started).toHaveLength(1)
    const ended = new Promise(resolve => started[0]?.once('exit', resolve))
    await clock.advance(1)
    await lost
    await ended
    expect(await waiting).toBe(1)
    expect(started).toHaveLength(2)
    expect(clock.waiting).toBe(0)
  })

  test('is left at once by who aborts; whoever waits has his turn when the batch ends, or hung', async () => {
    const { runner, started, clock } = scripted()
    await runner.models()
    const [abort, later] = [new AbortController(), new AbortController()]
    const reason = new Error('the customer left')
    const hanging = said(started[0], 'hanging')
    const running = runner.run(work(hangs), () => undefined, abort.signal)
    const behind = runner.run(work('a'), () => undefined, later.signal)
    const last = vectorsOf(runner, 'a', 'b')
    await hanging
    abort.abort(reason)
    await expect(running).rejects.toBe(reason)
    later.abort(reason)
    await expect(behind).rejects.toBe(reason)
    await clock.advance(1_000)
    expect(await last).toBe(2)
  })

  test('computes no batch more for who left between two', async () => {
    const { runner, started } = scripted({ batchTokens: 3 })
    await runner.models()
    let batches = 0
    const abort = new AbortController()
    const reason = new Error('the customer left')
    started[0]?.on('message', () => {
      batches++
      if (batches === 2) abort.abort(reason)
    })
    await expect(runner.run(work('a', 'b', 'a', 'b', 'a'), () => undefined, abort.signal)).rejects.toBe(reason)
    expect(await vectorsOf(runner, 'a')).toBe(1)
    expect(batches).toBe(3)
  })

  test('that does not load is told by what it says, and tried again', async () => {
    const broken = `require('node:worker_threads').parentPort.postMessage({ says: 'failed', why: 'no such operator' })`
    const { runner, started } = scripted({}, broken)
    await expect(runner.models()).rejects.toThrow('the model cannot be loaded: no such operator')
    await expect(runner.models()).rejects.toThrow(RunnerError)
    expect(started).toHaveLength(2)
  })

  test('that never says it is ready is given up', async () => {
    const port = "require('node:worker_threads').parentPort"
    const { runner, started, clock } = scripted({}, `${port}.on('message', () => {}); ${port}.postMessage({ id: 0 })`)
    const opening = expect(runner.models()).rejects.toThrow('took longer than 1000 ms')
    while (started.length === 0) await new Promise(resolve => setImmediate(resolve))
    await clock.advance(1_000)
    await opening
    expect(clock.waiting).toBe(0)
  })
})

describe('the queue', () => {
  test('is bounded, and what is beyond it is turned away at once', async () => {
    const { runner, started, clock } = scripted({ queue: 1 })
    await runner.models()
    const hanging = said(started[0], 'hanging')
    const lost = expect(vectorsOf(runner, hangs)).rejects.toThrow(RunnerError)
    const second = vectorsOf(runner, 'a')
    await hanging
    await expect(vectorsOf(runner, 'b')).rejects.toThrow(/busy/)
    await clock.advance(1_000)
    await lost
    expect(await second).toBe(1)
  })

  test('an aborted check or run does nothing', async () => {
    const { runner } = scripted()
    const reason = new Error('too late')
    await expect(runner.check(work('a'), AbortSignal.abort(reason))).rejects.toBe(reason)
    await expect(runner.run(work('a'), () => undefined, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  test('a close ends what runs and what waits as RunnerError, twice without complaint', async () => {
    const { runner, started } = scripted()
    await runner.models()
    const hanging = said(started[0], 'hanging')
    const both = Promise.allSettled([vectorsOf(runner, hangs), vectorsOf(runner, 'a')])
    await hanging
    const ended = new Promise(resolve => started[0]?.once('exit', resolve))
    await runner.close()
    await runner.close()
    await ended
    for (const one of await both) expect(one).toMatchObject({ status: 'rejected', reason: expect.any(RunnerError) })
    await expect(runner.check(work('a'))).rejects.toThrow(RunnerError)
    await expect(runner.run(work('a'), () => undefined, live)).rejects.toThrow(RunnerError)
    expect(started).toHaveLength(1)
  })

  test('a closed desk takes nobody in', async () => {
    let started = 0
    const start = () => {
      started++
      return new Worker(script, { eval: true })
    }
    const desk = openDesk({ clock: handClock(), hangMs: 1_000, start })
    await desk.close()
    await expect(desk.compute(batchOf([{ ids: [1], types: [0] }], 0))).rejects.toThrow(RunnerError)
    expect(started).toBe(0)
  })

  test('a close before anything was loaded starts nothing', async () => {
    const { runner, started } = scripted()
    await runner.close()
    await expect(runner.models()).rejects.toThrow(RunnerError)
    expect(started).toHaveLength(0)
  })
})

describe('the real thread', () => {
  test('gets its threads and its graph, and leaves this one free', async () => {
    const tasks: WorkerTask[] = []
    const runner = onnxRunner({
      ...{ model, threads: 2 },
      startWorker: task => {
        tasks.push(task)
        return startWorker(task)
      },
    })
    open.push(runner)
    let turns = 0
    const many = runner.run(work(...Array.from({ length: 200 }, () => 'the sky is blue')), () => undefined, live)
    const count = () => {
      turns++
      pending = setImmediate(count)
    }
    let pending = setImmediate(count)
    await many
    clearImmediate(pending)
    expect(turns).toBeGreaterThan(0)
    expect(tasks).toEqual([
      { path: expect.stringMatching(/model\.onnx$/), threads: 2, pooling: 'mean', classifies: false },
    ])
  })

  test.runIf(process.platform === 'linux')('computes on as many threads as it was given', async () => {
    const grown = async (threads: number): Promise<number> => {
      const before = readdirSync('/proc/self/task').length
      const runner = onnxRunner({ model, threads })
      await runner.models()
      const after = readdirSync('/proc/self/task').length
      await runner.close()
      return after - before
    }
    await grown(1)
    const [one, five] = [await grown(1), await grown(5)]
    expect(five - one).toBe(4)
  })

  test('two pieces of work at once do not mix', async () => {
    const runner = onnxRunner({ model })
    open.push(runner)
    const alone = [await vectorTexts(runner, 'the sky'), await vectorTexts(runner, 'grass is green')]
    const both = await Promise.all(['the sky', 'grass is green', 'the sky'].map(text => vectorTexts(runner, text)))
    expect(both).toEqual([alone[0], alone[1], alone[0]])
    expect(alone[0]).not.toBe(alone[1])
  })
})

const vectorTexts = async (runner: Runner, text: string) => (await runner.run(work(text), () => undefined, live)).text
