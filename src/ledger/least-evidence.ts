/**
 * What is left of evidence when everything is taken away that it does not need: nobody's words are shown for nothing, and
 * whoever adds something to a case has no second case.
 * @module
 */
import type { FaultEvidence } from '../../kinds/index.ts'
import { type FaultTools, verifyFault } from './faults.ts'

/** Evidence that proves a fault, with the events, keys and preimage without which it proves nothing. */
export async function leastEvidence(evidence: FaultEvidence, tools: FaultTools): Promise<FaultEvidence> {
  const holds = async (less: FaultEvidence) => {
    const { ok, basis } = await verifyFault(less, tools)
    return ok && basis === 'signed'
  }
  const { preimage: _, ...closed } = evidence
  let least: FaultEvidence = (await holds(closed)) ? closed : evidence
  for (const { id } of evidence.events) {
    const less = without(least, id)
    if (await holds(less)) least = less
  }
  for (const id of Object.keys(least.keys ?? {})) {
    const { [id]: _, ...keys } = least.keys ?? {}
    if (await holds({ ...least, keys })) least = { ...least, keys }
  }
  return least
}

function without(evidence: FaultEvidence, id: string): FaultEvidence {
  const { keys, opened, events, ...rest } = evidence
  const others = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).filter(([name]) => name !== id))
  return {
    ...{ ...rest, events: events.filter(one => one.id !== id), opened: others(opened) },
    ...(keys ? { keys: others(keys) } : {}),
  }
}
