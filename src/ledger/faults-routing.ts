/**
 * E9: a router chose otherwise than its own published inputs and committed seed choose.
 * @module
 */
import { attestation, type Routing, routing } from '../../kinds/index.ts'
import { fromHex, sha256Hex } from '../hash.ts'
import { check, type FaultCase, type FaultRule, type Told } from './fault-case.ts'

/** The seed that a decision reveals is not the one that the entry before it bound. */
function otherSeed({ value }: Told<Routing>, matter: FaultCase): boolean {
  const entries = [
    ...matter.own(routing).map(({ event, value: { seq, commit } }) => ({ id: event.id, seq, commit })),
    ...matter.own(attestation).map(({ event, value: { seq, commit } }) => ({ id: event.id, seq, commit })),
  ]
  const before = entries.find(({ id, seq }) => id === value.prev && seq === value.seq - 1)
  return before?.commit !== undefined && before.commit !== sha256Hex(fromHex(value.seed))
}

/** Nobody signed the request that it says it answers. */
const madeUp = ({ value: { asked } }: Told<Routing>, { tools }: FaultCase): boolean =>
  asked !== undefined && !tools.verify(asked)

/** It names candidates of its own, and they do not follow. Others' candidates and refusals are no draw. */
function differs({ value }: Told<Routing>, { tools }: FaultCase): boolean {
  if (value.asked === undefined || value.candidates.every(({ via }) => via !== undefined)) return false
  return (tools.redecide(value)?.faults.length ?? 0) > 0
}

/**
 * The decision is made again from what it published: request, sample, seed, policy, parameters. Whether the sample itself
 * is right is a question to its log, and who is missing in it is a matter of opinion.
 */
export const selfPreference: FaultRule = {
  id: 'E9',
  says: 'It chose otherwise than its own published inputs choose.',
  basis: 'signed',
  share: 1_000,
  *judge(matter) {
    const told = matter.own(routing)
    yield check('routing', told.length > 0)
    const contradicted = told.some(one => otherSeed(one, matter) || madeUp(one, matter) || differs(one, matter))
    yield check('other-choice', contradicted)
  },
}
