/**
 * Kind 4642: what somebody made of evidence of a fault.
 * @module
 */
import { bad, dialects, good } from './4642-samples.ts'
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { oneOf, units } from './records.ts'
import { hex, text } from './values.ts'

/** A verdict on evidence (4641). Anybody can judge again: the rule is a pure function. */
export interface FaultVerdict {
  readonly evidence: string
  readonly accused: string
  readonly rule: string
  readonly proven: boolean
  /** Units of bonds that it takes; 0 where nothing was proven. */
  readonly penalty: bigint
  /** For people; at most 1,024 characters. */
  readonly says: string
}

const LONGEST_SAYING = 1_024

/** Fault verdict (regular kind 4642). */
export const faultVerdict = defineKind({
  number: 4642,
  name: 'fault verdict',
  says: 'A judge ran the rule over the evidence and says what came out. Whoever doubts it runs the rule too.',
  source: 'gridstr',
  alt: 'Verdict on evidence of a fault',
  fields: {
    evidence: one(
      'e',
      hex('<evidence id>'),
      'The evidence.',
      'Exactly one piece of evidence is named by 64 hex digits.',
    ),
    accused: one('p', hex('<accused pubkey>'), 'Who was accused.', 'Exactly one key is accused.'),
    rule: one('rule', text('<rule>', 16), 'The rule that was run.', 'Exactly one rule is named.'),
    verdict: one('verdict', oneOf('proven', 'unproven'), 'What came out.', 'Exactly one of the two verdicts is given.'),
    penalty: one(
      'penalty',
      units,
      'What it takes of a bond.',
      'The penalty is whole units in plain digits, said once.',
    ),
  },
  content: 'A sentence for people of at most 1,024 characters; from others the rest is cut.',
  rules: { unproven: 'Nothing is taken for what was not proven.' },
  read({ verdict, ...found }, { content, refuse }) {
    if (verdict === 'unproven' && found.penalty > 0n) return refuse('unproven')
    return ok({ ...found, proven: verdict === 'proven', says: content.slice(0, LONGEST_SAYING) })
  },
  write({ proven, says, ...rest }: FaultVerdict) {
    if (says.length > LONGEST_SAYING) throw new TypeError('4642.content: at most 1,024 characters are for people.')
    return { fields: { ...rest, verdict: proven ? ('proven' as const) : ('unproven' as const) }, content: says }
  },
  good,
  dialects,
  bad,
})
