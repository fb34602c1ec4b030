/**
 * Answers of nodes, computed again by a runner of our own: only where the work is deterministic and the weights are the
 * same does a difference mean anything.
 * @module
 */
import { type Announcement, isSealed, messagesOf, present, textRequest, textResult } from '../../kinds/index.ts'
import type { Auditor } from '../router/audits.ts'
import type { Runner, Work } from '../runners/runner.ts'

/**
 * What our runner can tell of a node's model. `exact`: the same work gives the same text, and another text is a fault.
 * `likely`: the weights are the same and rounding may differ, so that only equality means something. `other`: nothing.
 */
export type Sameness = 'exact' | 'likely' | 'other'

/** Our runner beside what a node announces. `determinism` is our own class, where the operator knows it. */
export async function samenessOf(
  runner: Runner,
  announcement: Pick<Announcement, 'models' | 'determinism'>,
  model: string,
  determinism?: string,
): Promise<Sameness> {
  const ours = (await runner.models()).find(({ name }) => name === model)
  const theirs = announcement.models.find(({ name }) => name === model)
  if (!ours || !theirs) return 'other'
  if (runner.name === 'echo') return 'exact'
  if (ours.sha256 === undefined || ours.sha256 !== theirs.sha256) return 'other'
  return determinism !== undefined && announcement.determinism === determinism ? 'exact' : 'likely'
}

/** Does the work again and compares. */
export async function recomputed(
  runner: Runner,
  work: Omit<Work, 'id' | 'kind'>,
  text: string,
  same: Sameness,
  signal: AbortSignal,
): Promise<'passed' | 'failed' | 'unable'> {
  if (same === 'other') return 'unable'
  const all = { id: 'audit', kind: textRequest.number, ...work }
  const fits = await runner.check(all, signal)
  if (!fits.ok) return 'unable'
  const done = await runner.run(all, () => {}, signal)
  if (done.text === text) return 'passed'
  return same === 'exact' ? 'failed' : 'unable'
}

/**
 * Does public jobs again that name a seed or temperature 0, with the same model. Everything else is `unable`: sealed jobs
 * are nobody's to read, and sampled text differs by chance. `same` says what is known of a node's model.
 */
export const auditorOf =
  (runner: Runner, same: (node: string, model: string) => Promise<Sameness> = async () => 'exact'): Auditor =>
  async (job, result, node, signal) => {
    if (isSealed(job) || isSealed(result)) return 'unable'
    const [asked, answered] = [textRequest.read(job), textResult.read(result)]
    if (!asked.ok || !answered.ok || answered.value.sealedUnder) return 'unable'
    const { model = answered.value.model, maxTokens, temperature, topP, topK, seed, terms } = asked.value
    const sampled = runner.name !== 'echo' && temperature !== 0 && seed === undefined
    const ours = model !== undefined && (await runner.models()).some(({ name }) => name === model)
    const messages = messagesOf(asked.value)
    if (sampled || !ours || terms?.word === 'parts' || !messages.ok) return 'unable'
    const work = present({ model, maxTokens, temperature, topP, topK, seed })
    const { text } = answered.value
    return recomputed(runner, { messages: messages.value, ...work }, text, await same(node, model), signal)
  }
