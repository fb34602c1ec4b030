/**
 * Labels of audits: whether the draw was due, by a seed that nobody could know when the answer was signed. What the auditor
 * computed is its own.
 * @module
 */
import { type Event, jobIdOf, resultKind } from '../../../kinds/index.ts'
import { fromHex, sha256Hex } from '../../hash.ts'
import { auditShare, defaultParams, drawn } from '../../ledger/index.ts'
import { type Check, check } from './check.ts'
import type { LabelFacts } from './label.ts'
import { foldLinks, type Link } from './lineage.ts'

/** Clocks of honest parties differ by no more than this. */
const SKEW_SECONDS = 60

export function auditChecks(facts: LabelFacts): Check[] {
  const { said, found, event } = facts
  const results = said.evidence.flatMap(id => found.get(id) ?? [])
  const result = results.find(
    one => one.kind === resultKind(said.kind) && one.pubkey === said.node && jobIdOf(one) === said.job,
  )
  const missing = said.evidence.some(id => !found.has(id))
  return [
    result
      ? check('result', true, 'It is about an answer of this node to this job.')
      : check(
          'result',
          missing ? null : false,
          missing ? 'The answer is not on these relays.' : 'It names no answer of this node to this job.',
        ),
    ...drawChecks(facts, drawnOf(facts, result)),
    timeCheck(said.at, event.created_at),
    check('auditor', null, 'What the auditor computed is its own: only whoever computes the answer again can compare.'),
  ]
}

/** An answer that was drawn and could not be read is audited by another job of the auditor's own: both are named. */
function drawnOf({ said, found }: LabelFacts, result: Event | undefined): Event | undefined {
  const others = said.evidence.flatMap(id => found.get(id) ?? []).filter(({ id }) => id !== result?.id)
  return said.evidence.length > 1
    ? others.find(one => one.kind === resultKind(said.kind) && one.pubkey === said.node)
    : result
}

function timeCheck(at: number, signedAt: number): Check {
  const fits = Math.abs(signedAt - at) <= 2
  return check('time', fits, fits ? 'It was audited when it was signed.' : 'It was not audited when it was signed.')
}

function drawChecks(facts: LabelFacts, result: Event | undefined): Check[] {
  const { said, lineage, folded, event } = facts
  if (!('ledger' in folded)) return ['beacon', 'drawn'].map(name => check(name, folded.ok, folded.says))
  if (said.seed === undefined) {
    // Newcomers are tried without any draw.
    const stage = folded.ledger.stage(said.node, said.kind, said.model, event.created_at)
    const due = stage !== 'proven'
    const says = due
      ? `By the log it is ${stage}: all its work is due.`
      : 'It is proven by the log, and no seed drew it.'
    return [check('drawn', due ? true : null, says)]
  }
  const digest = sha256Hex(fromHex(said.seed))
  const binding = lineage.links.find(({ commit }) => commit === digest)
  if (!binding) return [check('beacon', false, 'No entry of the log before it committed to its seed.')]
  const drawnAt: Link | undefined = lineage.links[binding.seq + 1]
  if (!drawnAt) return [check('beacon', false, 'The seed that drew it was not revealed by an entry before it.')]
  if (!result)
    return [check('beacon', null, 'Not without the answer.'), check('drawn', null, 'Not without the answer.')]
  if (result.created_at > drawnAt.event.created_at + SKEW_SECONDS)
    return [check('beacon', false, 'Its seed was known before the answer was signed.')]
  // The share is of the log as it was; stake only makes it smaller. After a restart it is drawn later.
  const ends = [binding.seq + 1, lineage.links.length - 1]
  const due = [...new Set(ends)].some(end => {
    const memory = foldLinks({ ...lineage, links: lineage.links.slice(0, end + 1) })
    if (!('ledger' in memory)) return false
    return [lineage.links[end]?.event.created_at ?? event.created_at, event.created_at].some(now => {
      const { ledger } = memory
      const stage = ledger.stage(said.node, said.kind, said.model, now)
      const share = auditShare(ledger.track(said.node, said.kind, said.model), stage, 0, defaultParams, now)
      return drawn(result.id, said.seed ?? '', share)
    })
  })
  return [
    check('beacon', true, `Entry ${binding.seq} committed to its seed before the answer could be drawn.`),
    check(
      'drawn',
      due,
      due ? 'By the log and this seed the audit was due.' : 'By the log and this seed no audit was due.',
    ),
  ]
}
