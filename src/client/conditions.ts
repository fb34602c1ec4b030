/**
 * The conditions of a customer, held against what is known of a node.
 * @module
 */
import { type Announcement, privacyLevels, type QuoteRequest, type TermsWord } from '../../kinds/index.ts'

type Asked = 'kind' | 'model' | 'privacy' | 'allow' | 'deny' | 'region' | 'determinism' | 'minScore' | 'explore'

/** What whoever works has to keep: the words of a request for quotes, and always a cap. */
export interface Conditions extends Pick<QuoteRequest, Asked | 'terms' | 'maxTokens' | 'deadlineMs'> {
  readonly capMsats: bigint
}

export interface Known {
  readonly node: string
  readonly announcement?: Announcement
  /** 0 to 1. */
  readonly score?: number
  readonly terms?: readonly TermsWord[]
}

/** The first condition that a node breaks, in a few words; `undefined` when it keeps all that is known. */
export function keeps({ node, announcement, score, terms }: Known, conditions: Conditions): string | undefined {
  const { allow, deny, minScore, region, determinism, privacy, model } = conditions
  if (deny.includes(node)) return 'the node is denied'
  if (allow.length > 0 && !allow.includes(node)) return 'the node is not among those that are allowed'
  if (minScore !== undefined && score !== undefined && score * 100 < minScore) return `the score is under ${minScore}`
  const wished = conditions.terms?.word
  // Who names no terms takes its money before the work.
  if (wished !== undefined && terms && !(terms.length === 0 ? wished === 'before' : terms.includes(wished)))
    return `the node does not take "${wished}"`
  if (!announcement) return undefined
  if (privacy > 0 && !privacyLevels(announcement).includes(privacy)) return `privacy level ${privacy} is not kept`
  if (region !== undefined && announcement.region !== region) return `the region is not ${region}`
  if (determinism !== undefined && announcement.determinism !== determinism) return `determinism is not ${determinism}`
  const { models } = announcement
  if (model !== undefined && models.length > 0 && !models.some(({ name }) => name === model)) return `no model ${model}`
  return undefined
}
