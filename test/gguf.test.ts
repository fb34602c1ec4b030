import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getLlama, LlamaChatSession, LlamaLogLevel } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readTokenizer, writeRandomGguf } from '../bench/gguf.ts'
import { nanoPath } from '../src/runners/llama/source.ts'
import { llamaRunner } from '../src/runners/llama.ts'
import type { Work } from '../src/runners/runner.ts'
import { collect, work } from './suites/runners.ts'

// Loading native code takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gridstr-gguf-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})
const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')

describe('a model of random weights', () => {
  test('loads, has the size asked for, and talks up to the limit in whole characters', async () => {
    const path = join(folder, 'tiny.gguf')
    const parameters = await writeRandomGguf(path, { parameters: 800_000, seed: 7, contextTokens: 256 })
    expect(parameters).toBeGreaterThan(600_000)
    expect(parameters).toBeLessThan(1_000_000)
    expect((await stat(path)).size).toBeLessThan(parameters * 1.2)
    const runner = llamaRunner({ model: path, threads: 1, gpu: false, parallel: 1 })
    expect(await runner.models()).toMatchObject([{ name: 'tiny', contextTokens: 256 }])
    const { done } = await collect(runner, work('hi', { maxTokens: 48 }))
    expect(done).toMatchObject({ finish: 'length', outputTokens: 48 })
    expect(done.text).toMatch(/^[ -~]+$/)

    // Greedy random weights run in circles, so penalties are seen: positive ones lead out, negative ones further in.
    const tokens = async (rest: Partial<Work>) => {
      const said = await collect(runner, work('hi', { maxTokens: 48, ...rest }))
      return new Set(said.pieces).size
    }
    const plain = await tokens({})
    expect(await tokens({ frequencyPenalty: 2 })).toBeGreaterThan(plain)
    expect(await tokens({ presencePenalty: 2 })).toBeGreaterThan(plain)
    expect(await tokens({ frequencyPenalty: -2 })).toBeLessThanOrEqual(plain)
    await runner.close()
  })

  test('answers a prompt of several batches as a bare session does, and leaves one between two batches', async () => {
    const path = join(folder, 'long.gguf')
    await writeRandomGguf(path, { parameters: 300_000, seed: 3 })
    const runner = llamaRunner({ model: path, threads: 1, gpu: false, parallel: 1 })
    const question = Array.from({ length: 420 }, (_, index) => `word ${index}`).join(' ')
    const estimate = await runner.check(work(question))
    // llama.cpp takes 512 tokens at once here.
    expect(estimate.ok && estimate.promptTokens).toBeGreaterThan(1_024)
    const { done } = await collect(runner, work(question, { maxTokens: 24 }))

    const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error })
    const model = await llama.loadModel({ modelPath: path })
    const context = await model.createContext({ contextSize: 2_056, threads: 1 })
    const session = new LlamaChatSession({ contextSequence: context.getSequence() })
    session.setChatHistory([])
    const bare = await session.prompt(question, { maxTokens: 24, temperature: 0, repeatPenalty: false })
    expect(done.text.trim()).toBe(bare.trim())
    await model.dispose()

    const abort = new AbortController()
    const running = collect(runner, work(question), abort.signal)
    abort.abort('left')
    await expect(running).rejects.toBe('left')
    expect((await collect(runner, work(question, { maxTokens: 24 }))).done).toEqual(done)
    await runner.close()
  })

  test('is the same bytes for the same seed, and others for another', async () => {
    const write = async (name: string, seed: number) => {
      await writeRandomGguf(join(folder, name), { parameters: 300_000, seed })
      return sha256(join(folder, name))
    }
    const [first, again, other] = [await write('a', 1), await write('b', 1), await write('c', 2)]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  test('has the tokenizer of the shipped model, and reads no other file', async () => {
    const bytes = await readFile(nanoPath)
    const { words, mute } = readTokenizer(bytes)
    expect(words).toBe(1280)
    expect(mute.size).toBeGreaterThan(4)
    expect(mute.size).toBeLessThan(words / 4)
    expect(() => readTokenizer(bytes.subarray(1))).toThrow('not GGUF 3')
  })
})
