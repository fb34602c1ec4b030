/**
 * What the next node is asked for: the whole answer, or what is left of one whose first parts another node was paid for.
 * @module
 */
import { textRequest } from '../../kinds/index.ts'
import type { Candidate, Trying } from './attempt.ts'
import { kindOf, type Question, wantsDeltas } from './question.ts'

export interface Asking {
  readonly how: 'whole' | 'rest'
  readonly question: Question
  /** Msats that may still be spent. */
  readonly room: bigint
  readonly from: number
}

/** Parts of the answer that are paid for, by all attempts together. */
export const partsBought = (trials: readonly Trying[]): number =>
  trials.reduce((most, trial) => Math.max(most, trial.job()?.partsPaid ?? 0), 0)

/** What a candidate would ask, where `from` parts were bought elsewhere. */
export function dueMsats({ msats }: Candidate, { terms }: Question, from: number): bigint {
  if (terms?.word !== 'parts' || from === 0) return msats
  const parts = BigInt(terms.parts)
  return (msats * (parts - BigInt(from)) + parts - 1n) / parts
}

export function askingOf(
  question: Question,
  candidate: Candidate,
  { room, trials, shown }: { readonly room: bigint; readonly trials: readonly Trying[]; readonly shown: string },
): Asking {
  const { node, announcement, routing, quote } = candidate
  const about = {
    node: { pubkey: node, ...(announcement ? { announcement } : {}) },
    capMsats: room > 0n ? room : 0n,
    ...(routing === undefined ? {} : { routing }),
    ...(quote === undefined ? {} : { quote }),
  }
  const { terms } = question
  const whole = { how: 'whole', room, from: 0, question: { ...question, ...about } } as const
  if (terms?.word !== 'parts' || shown === '' || !candidate.terms.includes('parts')) return whole
  if (!hasRest(question)) return whole
  // Somebody has to be paid for the end, also where all parts are: the last one is claimed back.
  const from = Math.min(partsBought(trials), terms.parts - 1)
  if (from === 0) return whole
  const maxTokens = tokensLeft(question, trials, shown, from)
  const rest = { begun: shown, terms: { word: 'parts', parts: terms.parts, from } } as const
  return {
    ...{ how: 'rest', room, from },
    question: { ...question, ...about, ...rest, ...(maxTokens === undefined ? {} : { maxTokens }) },
  }
}

/** Only bare text can be gone on with by somebody else: half a JSON text or half a list of numbers is nothing. */
const hasRest = (question: Question): boolean =>
  kindOf(question).request.number === textRequest.number &&
  !wantsDeltas(question) &&
  question.responseFormat === undefined &&
  !question.inputs?.length

/**
 * The limit for the next node, which counts `from` parts as used up: so high that the tokens that were not made yet fit
 * into the rest. How many were made is told by the bills: by then so many parts were through. Rounded in favour of the answer.
 */
function tokensLeft(
  { maxTokens, terms }: Question,
  trials: readonly Trying[],
  shown: string,
  from: number,
): number | undefined {
  if (maxTokens === undefined || terms?.word !== 'parts') return undefined
  const { parts } = terms
  const at = trials.findLast(trial => trial.boundary())?.boundary()
  const tokens = at ? Math.floor((maxTokens * at.parts) / parts) : 0
  const made = at && at.chars > 0 ? Math.floor((tokens * shown.length) / at.chars) : 0
  const left = Math.max(1, maxTokens - Math.min(made, maxTokens))
  return Math.ceil((left * parts) / (parts - from))
}
