/**
 * Levels of privacy as a customer holds them: what a question relies on, and why a node cannot be asked so. Nothing is ever
 * lowered: who does not keep a level is not asked.
 * @module
 */
import { type Privacy, privacyLevels } from '../../kinds/index.ts'
import type { Why } from '../job.ts'
import type { Question } from './question.ts'

/** From here on relays see neither who asks nor what: everything goes in wraps, and nothing is said beside the job. */
export const wrappedFrom: Privacy = 2

/** The level that a question relies on. Unsaid: sealed to the chosen node, and public where nobody is chosen. */
export const levelOf = ({ privacy, node }: Pick<Question, 'privacy' | 'node'>): Privacy => privacy ?? (node ? 1 : 0)

/** Why this node is not asked on this level, with the way out. */
export function refusedLevel(question: Pick<Question, 'privacy' | 'node' | 'own' | 'terms'>): Why | undefined {
  const { node, own = [], terms } = question
  const level = levelOf(question)
  if (!node) return level === 0 ? undefined : why(`A job of level ${level} is asked of one node: choose it with --to.`)
  const { pubkey, announcement } = node
  const levels = announcement && privacyLevels(announcement)
  if (level === 3 && !own.includes(pubkey))
    return why('Level 3 is for nodes of your own alone, and this is none: name yours with --own.')
  if (levels && !levels.includes(level)) {
    const ways = levels.length > 0 ? `It keeps ${levels.join(', ')}: ask so with --privacy` : 'It keeps none'
    return why(`The node does not keep level ${level} of privacy. ${ways}, or choose another node.`)
  }
  if (level < wrappedFrom) return undefined
  if (!levels) return why(`The node has not announced that it keeps level ${level} of privacy: choose another one.`)
  if (terms?.word === 'escrow')
    return why(`A verifier reads what it judges: under escrow level ${level} cannot be kept. Choose other terms.`)
  if (announcement?.splits?.some(split => split.pubkey !== pubkey))
    return why(`Those who share in this node's price publish receipts that name the job: choose another node.`)
  return undefined
}

const why = (says: string): Why => ({ code: 'privacy', says })
