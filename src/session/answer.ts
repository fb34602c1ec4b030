/**
 * How a question ended, as an application is told: of the client's outcome, or of what an earlier process wrote down.
 * @module
 */
import { type Gathered, present } from '../../kinds/index.ts'
import type { Outcome, PrivacyReport, RoutedOutcome } from '../client/client.ts'
import { readOpening, replay } from '../client/keeping.ts'
import { spentMsats } from '../client/outcome.ts'
import type { JobRow, Plain } from '../journal/journal.ts'
import { unanswered } from './failure.ts'
import { looksLikeDeltas } from './links.ts'
import { readAnswer } from './reading.ts'
import type { Answered, Unanswered } from './session.ts'

/** An outcome of one job, and what the whole question cost and took. */
export function answeredOf(
  outcome: Outcome,
  deltas: boolean,
  whole: Pick<Answered, 'msats' | 'creditMsats' | 'feeMsats' | 'attempts' | 'ms'> & {
    readonly firstMs?: number | undefined
    readonly privacy?: PrivacyReport | undefined
  },
): Answered {
  const { job, request, result, receipt, preimage, usage, privacy } = outcome
  const { firstMs, privacy: said, ...rest } = whole
  const read = readAnswer(outcome.text ?? '', deltas)
  return {
    ok: true,
    ...{ request: request.id, node: job.node ?? result?.pubkey ?? '', model: job.answer?.model ?? '' },
    ...{ result: result?.id ?? '', ...present({ receipt: receipt?.id, preimage, firstMs }) },
    ...read,
    finish: finishOf(read, outcome.finish ?? job.answer?.finish),
    usage: usage ?? { promptTokens: job.answer?.promptTokens ?? 0, outputTokens: job.answer?.outputTokens ?? 0 },
    ...rest,
    privacy: said ?? privacy,
  }
}

const finishOf = ({ toolCalls }: Gathered, said: Answered['finish'] | undefined): Answered['finish'] =>
  said ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop')

/** What a routed question came to. */
export function routedAnswer(routed: RoutedOutcome, deltas: boolean): Answered | Unanswered {
  const { answered, msats, feeMsats, attempts, ms, firstTextMs: firstMs, privacy, code = 'failed', says = '' } = routed
  if (routed.ok && answered) {
    const back = attempts.find(({ job }) => job === answered.request.id)?.refundMsats ?? 0n
    const kept = (answered.creditMsats ?? 0n) - back
    const due = kept > 0n ? { creditMsats: kept } : {}
    return answeredOf(answered, deltas, { msats, ...due, feeMsats, attempts, ms, firstMs, privacy })
  }
  const request = attempts.findLast(({ job }) => job !== undefined)?.job
  return unanswered(code, says, { msats: msats + feeMsats, ms, ...present({ request }) })
}

/** What came of a job that an earlier process asked, told by its facts alone; `undefined` while it has not ended well. */
export function keptAnswer(row: JobRow & { readonly facts: readonly Plain[] }): Answered | undefined {
  const opening = readOpening(row.opening)
  const job = opening && replay(opening.ask, row.facts)
  if (!opening || job?.state !== 'delivered' || !job.answer) return undefined
  const { text, model, promptTokens, outputTokens, finish } = job.answer
  const read = readAnswer(text, looksLikeDeltas(text))
  return {
    ok: true,
    ...{ request: row.id, node: job.node ?? '', model, result: '', ...present({ preimage: job.preimage }) },
    ...read,
    finish: finishOf(read, finish),
    usage: { promptTokens, outputTokens },
    ...{ msats: spentMsats(job), feeMsats: 0n, attempts: [], ms: 0 },
    privacy: keptPrivacy(opening.request.pubkey, job.node),
  }
}

/** Nothing is known any more of what was heard: the least is said. */
const keptPrivacy = (pubkey: string, node: string | undefined): PrivacyReport => ({
  ...{ level: 0, wanted: 0, readers: [{ who: 'you', why: 'You asked.' }, ...nodeReader(node)] },
  identity: { kind: 'own', pubkey },
  transport: { relays: [], request: 'open', answers: 'none' },
  retention: { says: 'An earlier process asked; what it saw of relays and node was not written down.' },
})

const nodeReader = (node: string | undefined): PrivacyReport['readers'] =>
  node === undefined ? [] : [{ who: 'node', pubkey: node, why: 'It answered.' }]
