import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTick } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { nanoPath } from '../src/runners/llama/source.ts'
import { llamaRunner } from '../src/runners/llama.ts'
import { type Runner, RunnerError } from '../src/runners/runner.ts'
import { collect, runnerSuite, work } from './suites/runners.ts'
import { vectorSuite } from './suites/runners-vectors.ts'

// Loading native code takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

runnerSuite('llama (nano)', () => llamaRunner(), {
  first: 'What is Nostr?',
  second: 'What is the Lightning Network?',
})

vectorSuite('llama (nano)', () => llamaRunner(), [5080, 5081])

describe('nano', () => {
  const answers: readonly (readonly [question: string, answer: string])[] = [
    ['What is Nostr?', 'Notes and Other Stuff Transmitted by Relays'],
    ['What is the capital of Brazil?', 'Brasilia'],
    ['What is 3 + 4?', '3 + 4 = 7'],
    ['Who won the 1998 chess cup of Zanzibar?', 'I am a very small model and I do not know that.'],
  ]

  test('answers its page, and says so when it does not know', async () => {
    const runner = llamaRunner()
    for (const [question, answer] of answers) {
      expect((await collect(runner, work(question))).done.text).toContain(answer)
    }
    const [info] = await runner.models()
    expect(info).toMatchObject({ name: 'nano', contextTokens: 512 })
    expect(info?.sha256).toBe('1f79db6663cd76debf6e30c59b225e7ef0d6d4c540fe9cb01b808d149aa839da')
    expect(info?.about).toContain('a bigger model is one flag away')
    await runner.close()
  })
})

describe('llama on one sequence', () => {
  let runner: Runner
  beforeAll(async () => {
    runner = llamaRunner({ parallel: 1, queue: 1 })
    await runner.models()
  })
  afterAll(async () => {
    await runner.close()
  })

  test('keeps customers apart: nothing of one conversation reaches the next', async () => {
    const alone = await collect(runner, work('What is Nostr?'))
    const secret = 'My seed words are abandon ability able about'
    await collect(runner, { ...work(''), messages: [{ role: 'system', content: secret }, ...work(secret).messages] })
    expect(await collect(runner, work('What is Nostr?'))).toEqual(alone)
  })

  test('a seed repeats a draw, another seed draws anew', async () => {
    const draw = async (seed: number) =>
      (await collect(runner, work('What is Nostr?', { temperature: 3, topK: 200, topP: 1, seed, maxTokens: 24 }))).done
        .text
    const [first, again, other] = [await draw(7), await draw(7), await draw(8)]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  test('without a temperature it draws nothing', async () => {
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'Other a lonely' },
    ] as const
    const say = async (seed: number, temperature?: number) => {
      const job = { ...work('', { seed, maxTokens: 12 }), messages, ...(temperature !== undefined && { temperature }) }
      return (await collect(runner, job)).done.text
    }
    const seeds = [1, 2, 3, 4]
    expect(new Set(await Promise.all(seeds.slice(0, 2).map(seed => say(seed)))).size).toBe(1)
    expect(await say(3)).toBe(await say(4, 0))
    const drawn: string[] = []
    for (const seed of seeds) drawn.push(await say(seed, 1.5))
    expect(new Set(drawn).size).toBeGreaterThan(1)
  })

  test('topK 1 takes the likeliest token at any temperature', async () => {
    const cold = await collect(runner, work('What is Nostr?'))
    const narrow = await collect(runner, work('What is Nostr?', { temperature: 2, topK: 1, seed: 3 }))
    expect(narrow.done).toEqual(cold.done)
  })

  test('a prompt bomb is refused without being counted', async () => {
    const refusal = await runner.check(work('a'.repeat(2_000_000)))
    expect(refusal).toMatchObject({ ok: false, rule: 'too-long', says: expect.stringContaining('2000000 characters') })
  })

  test('work beyond the sequence waits its turn, work beyond the queue is turned away', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => collect(runner, work('What is Nostr?'))))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(outcomes[2]).toMatchObject({ reason: { name: 'RunnerError', message: expect.stringMatching(/busy/) } })
  })

  test('one that is aborted while it waits leaves the queue to the next', async () => {
    const abort = new AbortController()
    const first = collect(runner, work('What is Nostr?'))
    const second = collect(runner, work('What is Nostr?'), abort.signal)
    await nextTick()
    abort.abort('left')
    await expect(second).rejects.toBe('left')
    const third = collect(runner, work('What is Nostr?'))
    expect((await third).done).toEqual((await first).done)
  })
})

describe('llama', () => {
  test('works up to the last token of the context, from both ends', async () => {
    // 256, because llama.cpp rounds a context up to a multiple of that and would hide a missing token.
    const contextTokens = 256
    const runner = llamaRunner({ contextTokens, parallel: 1 })
    const full = new Set<number>()
    for (let length = 480; full.size < 3; length++) {
      if (length > 520) throw new Error('no prompt fills the context')
      const job = work('a b c d '.repeat(65).slice(0, length))
      const estimate = await runner.check(job)
      if (!estimate.ok || estimate.promptTokens < contextTokens - 3 || full.has(estimate.promptTokens)) continue
      const { done } = await collect(runner, job)
      expect(done.promptTokens).toBe(estimate.promptTokens)
      expect(done.outputTokens).toBeLessThanOrEqual(contextTokens - estimate.promptTokens)
      full.add(done.promptTokens)
    }
    expect(full).toContain(contextTokens - 1)

    for (let seed = 0; ; seed++) {
      if (seed > 50) throw new Error('no seed talked up to the limit')
      const { done } = await collect(runner, work('hi', { temperature: 5, topK: 1280, topP: 1, seed, maxTokens: 252 }))
      if (done.finish === 'stop') continue
      expect(done.promptTokens + done.outputTokens).toBe(contextTokens)
      break
    }
    await runner.close()
  })

  test('close ends work that runs and work that waits', async () => {
    const runner = llamaRunner({ parallel: 1 })
    await runner.models()
    const outcomes = [collect(runner, work('What is Nostr?')), collect(runner, work('What is Nostr?'))].map(job =>
      job.catch(error => String(error)),
    )
    await runner.close()
    expect(await Promise.all(outcomes)).toEqual(Array(2).fill('RunnerError: the llama runner is closed'))
  })

  test("an order of roles that the template rejects is the customer's fault", async () => {
    const bytes = await readFile(nanoPath)
    const at = bytes.indexOf('{% for message in messages %}')
    const strict =
      "{% if messages[0]['role']=='assistant' %}{{ raise_exception('no') }}{% endif %}{% for m in messages %}"
    const template = `${strict}{{ m['content'] }}{% endfor %}`
    const length =
      bytes.subarray(at).indexOf("{{ '<|assistant|>' }}{% endif %}") + "{{ '<|assistant|>' }}{% endif %}".length
    expect(template.length).toBeLessThanOrEqual(length)
    bytes.write(template.padEnd(length), at)
    const folder = await mkdtemp(join(tmpdir(), 'gridstr-template-'))
    await writeFile(join(folder, 'strict.gguf'), bytes)
    const runner = llamaRunner({ model: join(folder, 'strict.gguf'), threads: 1, gpu: false })
    const question = { role: 'user', content: 'hi' } as const
    expect(await runner.check({ ...work(''), messages: [question] })).toMatchObject({ ok: true, model: 'strict' })
    const odd = { ...work(''), messages: [{ role: 'assistant', content: 'x' } as const, question] }
    expect(await runner.check(odd)).toMatchObject({ ok: false, rule: 'conversation' })
    await expect(collect(runner, odd)).rejects.toBeInstanceOf(RunnerError)
    await runner.close()
    await rm(folder, { recursive: true })
  })
})
