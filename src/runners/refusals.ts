/**
 * The sentences with which every text runner refuses work before it is billed, so that a customer reads the same
 * rule and the same way out whichever runner stands behind the node.
 * @module
 */
import { textRequest } from '../../kinds/index.ts'
import type { Estimate, Work, WorkRefusal } from './runner.ts'

/** What a text runner answers when it is not told otherwise: text generation (NIP-90). */
export const textKinds: readonly number[] = [textRequest.number]

/** Tokens that a text answer gets when the customer names no limit and the context leaves that much. */
export const defaultAnswerTokens = 512

/** What a runner knows about itself when it looks at a piece of work. */
export interface Offer {
  readonly kinds: readonly number[]
  readonly model: string
  readonly contextTokens: number
}

/** Refuses what can be refused without counting a token: rules `kind`, `model` and `empty-prompt`. */
export function refuseEarly(offer: Offer, work: Work): WorkRefusal | undefined {
  if (!offer.kinds.includes(work.kind))
    return refuse('kind', `kind ${work.kind} is not served here; ask for ${offer.kinds.join(', ')}`)
  if (work.model !== undefined && work.model !== offer.model)
    return refuse('model', `the model asked for is not on offer; ask for ${offer.model} or leave it open`)
  if (!work.messages.some(({ role, content }) => role === 'user' && content.trim() !== ''))
    return refuse('empty-prompt', 'the prompt is empty; send at least one user message with text')
  return undefined
}

/** Refuses by rule `too-long` what is too long to be worth counting: more than 64 characters for each token of context. */
export function refuseLength(offer: Offer, work: Work): WorkRefusal | undefined {
  const most = offer.contextTokens * 64
  const length = work.messages.reduce((sum, { content }) => sum + content.length, 0)
  if (length <= most) return undefined
  const says = `the prompt has ${length} characters and ${offer.model} holds ${offer.contextTokens} tokens`
  return refuse('too-long', `${says}; shorten it`)
}

/** Fits counted work into the context: rules `too-long` and `max-tokens`, else the estimate that is billed. */
export function fitContext(offer: Offer, work: Work, promptTokens: number): Estimate | WorkRefusal {
  const room = offer.contextTokens - promptTokens
  if (room < 1) {
    const says = `the prompt has ${promptTokens} tokens and ${offer.model} holds ${offer.contextTokens}, answer included`
    return refuse('too-long', `${says}; shorten it`)
  }
  const maxTokens = work.maxTokens ?? Math.min(defaultAnswerTokens, room)
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1)
    return refuse('max-tokens', 'the limit of answer tokens must be a whole number from 1 up')
  if (maxTokens > room) {
    const says = `${promptTokens} prompt tokens and ${maxTokens} answer tokens do not fit into ${offer.contextTokens}`
    return refuse('max-tokens', `${says}; ask for ${room} or fewer`)
  }
  return { ok: true, model: offer.model, promptTokens, maxTokens }
}

const refuse = (rule: string, says: string): WorkRefusal => ({ ok: false, rule, says })
