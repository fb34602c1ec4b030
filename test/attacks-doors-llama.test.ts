/** A model whose template leads it from step to step: what its way of speaking cannot do is refused, and never left out. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Engine, openEngine } from '../src/runners/llama/engine.ts'
import { nanoPath } from '../src/runners/llama/source.ts'
import { readForm } from '../src/runners/refusals.ts'
import type { Work } from '../src/runners/runner.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
vi.mock('../src/runners/llama/prompt.ts', async original => {
  const real = await original<typeof import('../src/runners/llama/prompt.ts')>()
  const render: typeof real.render = (...args) => ({ ...real.render(...args), guided: true })
  return { ...real, render }
})

let engine: Engine
beforeAll(async () => {
  engine = await openEngine({ path: nanoPath, sequences: 1, threads: 1, gpu: false, plainTemplate: true })
})
afterAll(() => engine.close())

const ruleOf = async (more: Partial<Work>): Promise<string | undefined> => {
  const work: Work = { id: 'w', kind: 5050, messages: [{ role: 'user', content: 'x' }], ...more }
  const form = readForm(work)
  const prepared = form.ok ? await engine.prepare(work, form) : form
  return 'rule' in prepared ? prepared.rule : undefined
}

test.each<[Partial<Work>, string | undefined]>([
  [{}, undefined],
  [{ frequencyPenalty: 0, presencePenalty: 0 }, undefined],
  [{ frequencyPenalty: 0.5 }, 'penalties'],
  [{ presencePenalty: -1 }, 'penalties'],
  [{ logprobs: 1, deltas: true }, 'logprobs'],
  [{ responseFormat: { type: 'json_object' } }, 'schema'],
])('%j: %s', async (more, rule) => {
  expect(await ruleOf(more)).toBe(rule)
})
