/**
 * What is left of evidence when everything is taken away that it does not need.
 * @module
 */
import type { Event, FaultEvidence } from '../../kinds/index.ts'
import type { FaultFinding } from '../ledger/index.ts'

/**
 * The statements of the accused without which nothing is proven, in order. Whoever adds something else that the accused
 * signed has no second case: the core stays the same.
 */
export async function coreOf(
  evidence: FaultEvidence,
  judge: (evidence: FaultEvidence) => Promise<FaultFinding>,
): Promise<readonly Event[]> {
  let events = evidence.events
  for (const one of evidence.events) {
    const fewer = events.filter(({ id }) => id !== one.id)
    const { ok, basis } = await judge({ ...evidence, events: fewer })
    if (ok && basis === 'signed') events = fewer
  }
  return events.filter(({ pubkey }) => pubkey === evidence.accused)
}
