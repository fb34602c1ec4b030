/**
 * Levels of privacy as a node keeps them: what a request relies on, how it came, and whether both are served here.
 * @module
 */
import type { Privacy } from '../../kinds/index.ts'
import type { Why } from '../job.ts'

/** How a request came: readable by all, sealed to the node, or inside a gift wrap. Its answers leave the same way. */
export type Came = 'plain' | 'sealed' | 'wrapped'

/** What is kept where an operator says nothing. */
export const defaultPrivacy: readonly Privacy[] = [0, 1, 2]

const levels: Readonly<Record<Came, Privacy>> = { plain: 0, sealed: 1, wrapped: 2 }
/** The ways that a level may come: hardware of the customer's own (3) is reached through wraps as well. */
const needs: Readonly<Record<Privacy, Privacy>> = { 0: 0, 1: 1, 2: 2, 3: 2 }

/**
 * Why a request is not served, or nothing. A level that a customer relies on is never lowered in silence, and a way of
 * coming that this node does not keep is refused even to those who ask for less.
 */
export function refuseLevel(said: Privacy | undefined, came: Came, kept: readonly Privacy[]): Why | undefined {
  const way = levels[came]
  if (said !== undefined && needs[said] > way) return refusal(`A job of level ${said} ${asks(said)}`)
  // Who names a lower level than the way of its job gives has the higher one.
  const level = said === 3 ? 3 : way
  if (kept.includes(level)) return undefined
  const offered = kept.length > 0 ? `It keeps ${kept.join(', ')}` : 'It keeps none'
  return refusal(`This node does not keep level ${level} of privacy. ${offered}: ask so, or ask another node.`)
}

const refusal = (says: string): Why => ({ code: 'privacy', says })
const asks = (level: Privacy): string =>
  level === 1
    ? 'is sealed to this node (NIP-44): seal it, or say a lower level.'
    : 'comes in a gift wrap (kind 21059): wrap it, or say a lower level.'
