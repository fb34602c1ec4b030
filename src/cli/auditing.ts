/**
 * Answers of nodes, computed again by a runner of our own: only where the work is deterministic does a difference mean
 * anything.
 * @module
 */
import { isSealed, messagesOf, present, textRequest, textResult } from '../../kinds/index.ts'
import type { Auditor } from '../router/audits.ts'
import type { Runner } from '../runners/runner.ts'

/**
 * Does public jobs again that name a seed or temperature 0, with the same model. Everything else is `unable`: sealed jobs
 * are nobody's to read, and sampled text differs by chance.
 */
export const auditorOf =
  (runner: Runner): Auditor =>
  async (job, result, _node, signal) => {
    if (isSealed(job) || isSealed(result)) return 'unable'
    const [asked, answered] = [textRequest.read(job), textResult.read(result)]
    if (!asked.ok || !answered.ok || answered.value.sealedUnder) return 'unable'
    const { model = answered.value.model, maxTokens, temperature, topP, topK, seed, terms } = asked.value
    const sampled = runner.name !== 'echo' && temperature !== 0 && seed === undefined
    const ours = (await runner.models()).some(({ name }) => name === model)
    const messages = messagesOf(asked.value)
    if (sampled || !ours || terms?.word === 'parts' || !messages.ok) return 'unable'
    const given = present({ model, maxTokens, temperature, topP, topK, seed })
    const work = { id: 'audit', kind: textRequest.number, messages: messages.value, ...given }
    const fits = await runner.check(work, signal)
    if (!fits.ok) return 'unable'
    const { text } = await runner.run(work, () => {}, signal)
    return text === answered.value.text ? 'passed' : 'failed'
  }
