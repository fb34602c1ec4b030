/**
 * What every runner promises, whoever computes. A runner is proven by one call of this suite.
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Delta, type Runner, RunnerError, type Work } from '../../src/runners/runner.ts'
import { formTests } from './runners-forms.ts'

let serial = 0

/** A piece of text work: one user message and whatever else a test names. */
export function work(content: string, rest: Partial<Work> = {}): Work {
  return { id: `w${serial++}`, kind: 5050, messages: [{ role: 'user', content }], ...rest }
}

/** The text of a piece. */
export const textIn = (piece: string | Delta): string => (typeof piece === 'string' ? piece : (piece.text ?? ''))

/** Runs a piece of work to its end and keeps the pieces. */
export async function collect(runner: Runner, job: Work, signal = new AbortController().signal) {
  const pieces: string[] = []
  const done = await runner.run(job, piece => void pieces.push(textIn(piece)), signal)
  return { pieces, done }
}

/** Two questions whose answers differ, each at least three pieces long. */
export interface Questions {
  readonly first: string
  readonly second: string
}

/** Proves that `open()` keeps the contract of `src/runners/runner.ts`. One runner serves all tests but the last. */
export function runnerSuite(name: string, open: () => Promise<Runner> | Runner, questions: Questions): void {
  describe(`runner ${name}`, () => {
    let runner: Runner
    beforeAll(async () => {
      runner = await open()
    })
    afterAll(async () => {
      await runner.close()
    })

    formTests(() => runner, questions.first)

    test('streams pieces that join to the text', async () => {
      const { pieces, done } = await collect(runner, work(questions.first))
      expect(pieces.length).toBeGreaterThan(2)
      expect(pieces.join('')).toBe(done.text)
      expect(pieces).not.toContain('')
      expect(done.finish).toBe('stop')
    })

    test('counts what was used', async () => {
      const job = work(questions.first)
      const estimate = await runner.check(job)
      const { done } = await collect(runner, job)
      expect(estimate).toMatchObject({ ok: true, model: done.model, promptTokens: done.promptTokens })
      expect(done.promptTokens).toBeGreaterThan(0)
      expect(done.outputTokens).toBeGreaterThan(0)
      expect(estimate.ok && done.outputTokens <= estimate.maxTokens).toBe(true)
    })

    test('says the same again', async () => {
      const once = await collect(runner, work(questions.first))
      const again = await collect(runner, work(questions.first))
      expect(again.done).toEqual(once.done)
    })

    test('stops at the token limit and says so', async () => {
      const { done, pieces } = await collect(runner, work(questions.first, { maxTokens: 2 }))
      expect(done.finish).toBe('length')
      expect(done.outputTokens).toBe(2)
      expect(pieces.length).toBeLessThanOrEqual(2)
    })

    test('stops with the reason of the signal, even before the first piece, and works on afterwards', async () => {
      const reason = new Error('the customer left')
      await expect(collect(runner, work(questions.first), AbortSignal.abort(reason))).rejects.toBe(reason)

      const abort = new AbortController()
      const pieces: string[] = []
      const running = runner.run(
        work(questions.first),
        piece => {
          pieces.push(textIn(piece))
          abort.abort(reason)
        },
        abort.signal,
      )
      await expect(running).rejects.toBe(reason)
      const heard = pieces.length
      const after = await collect(runner, work(questions.first))
      expect(pieces.length).toBe(heard)
      expect(heard).toBeLessThan(after.pieces.length)
      expect(after.done.finish).toBe('stop')
    })

    test('a listener that throws ends the work with its error, and only that work', async () => {
      const bug = new Error('a bug in the listener')
      const running = runner.run(
        work(questions.first),
        () => {
          throw bug
        },
        new AbortController().signal,
      )
      await expect(running).rejects.toBe(bug)
      expect((await collect(runner, work(questions.first))).done.finish).toBe('stop')
    })

    test('two at once do not mix', async () => {
      const alone = [await collect(runner, work(questions.first)), await collect(runner, work(questions.second))]
      const both = await Promise.all([
        collect(runner, work(questions.first)),
        collect(runner, work(questions.second)),
        collect(runner, work(questions.first)),
        collect(runner, work(questions.second)),
      ])
      expect(alone[0]?.done.text).not.toBe(alone[1]?.done.text)
      for (const [index, { done, pieces }] of both.entries()) {
        expect(done).toEqual(alone[index % 2]?.done)
        expect(pieces.join('')).toBe(done.text)
      }
    })

    test('refuses before work: unknown model, empty prompt, too long, too many tokens', async () => {
      const [model] = await runner.models()
      if (!model) throw new Error('a runner offers at least one model')
      expect(model.contextTokens).toBeGreaterThan(0)
      const unknown = await runner.check(work(questions.first, { model: 'no-such-model' }))
      expect(unknown).toMatchObject({ ok: false, rule: 'model', says: expect.stringContaining(model.name) })
      expect(await runner.check(work(questions.first, { model: model.name }))).toMatchObject({ ok: true })
      expect(await runner.check(work(' \n'))).toMatchObject({ ok: false, rule: 'empty-prompt' })
      expect(await runner.check({ ...work(''), messages: [] })).toMatchObject({ ok: false, rule: 'empty-prompt' })
      const long = await runner.check(work('word '.repeat(model.contextTokens + 1)))
      expect(long).toMatchObject({
        ok: false,
        rule: 'too-long',
        says: expect.stringContaining(`${model.contextTokens}`),
      })
      const greedy = await runner.check(work(questions.first, { maxTokens: model.contextTokens }))
      expect(greedy).toMatchObject({
        ok: false,
        rule: 'max-tokens',
        says: expect.stringMatching(/ask for \d+ or fewer/),
      })
    })

    test('takes the most that it said it would take, to the token', async () => {
      const [model] = await runner.models()
      const estimate = await runner.check(work(questions.first))
      if (!model || !estimate.ok) throw new Error('the first question must be taken')
      const most = model.contextTokens - estimate.promptTokens
      expect(await runner.check(work(questions.first, { maxTokens: most }))).toMatchObject({
        ok: true,
        maxTokens: most,
      })
      expect(await runner.check(work(questions.first, { maxTokens: most + 1 }))).toMatchObject({ ok: false })
      const { done } = await collect(runner, work(questions.first, { maxTokens: most }))
      expect(done.finish).toBe('stop')
    })

    test('never answers a kind that it does not list', async () => {
      const stranger = { ...work(questions.first), kind: 1 }
      expect(runner.kinds).not.toContain(1)
      expect(await runner.check(stranger)).toMatchObject({ ok: false, rule: 'kind' })
      await expect(collect(runner, stranger)).rejects.toBeInstanceOf(RunnerError)
    })

    test('fails as RunnerError when run with work that its check refuses', async () => {
      await expect(collect(runner, work(''))).rejects.toBeInstanceOf(RunnerError)
      await expect(collect(runner, work('x', { model: 'no-such-model' }))).rejects.toBeInstanceOf(RunnerError)
    })

    test('closes twice without complaint and then fails as RunnerError', async () => {
      const brief = await open()
      await collect(brief, work(questions.first))
      await brief.close()
      await brief.close()
      await expect(collect(brief, work(questions.first))).rejects.toBeInstanceOf(RunnerError)
    })
  })
}
