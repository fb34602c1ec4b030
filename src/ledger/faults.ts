/**
 * Proves faults by signed bytes. What is provable: that somebody signed two things that exclude each other, or one that
 * its own words, a hash or a signature refute. What is not, and never will be: that an answer was bad, slow or rude.
 *
 * Who may be believed. Nobody: evidence is judged, not its bringer. Every rule needs the signature of the accused under
 * each statement that is held against it, and every event shown must carry a valid signature. Statements that could be
 * true together, or that the accused could have replaced in the meantime, prove nothing.
 *
 * Sealed events. What two parties sealed to each other can be opened by both and shown by both. The plain text that an
 * accuser claims (`opened`) is ignored: anybody can claim one. Instead the conversation key of the two is disclosed, which
 * opens the very bytes that the accused signed; the MAC of NIP-44 (HMAC-SHA256 over the whole payload) fits one key only,
 * so it can be neither denied nor invented. It opens everything between these two keys, so customers use a key for one job
 * and lose only that. NIP-04 has no MAC: what is sealed with it proves nothing.
 *
 * Forgetful nodes. A node or router without a journal that answers one request twice cannot be told from a liar; ours
 * keep theirs.
 * @module
 */
import type { FaultEvidence } from '../../kinds/index.ts'
import { check, type FaultCheck, type FaultRule, type FaultTools, openCase } from './fault-case.ts'
import { acceptThenFail, hashLockFraud, refuseAfterAccept } from './faults-delivery.ts'
import { equivocation } from './faults-equivocation.ts'
import { falseAttestation, invoiceBait } from './faults-money.ts'
import { brokenPolicy } from './faults-policy.ts'
import { selfPreference } from './faults-routing.ts'

export type { FaultCheck, FaultRule, FaultTools, InvoiceSaid, ReceiptAbout, Redecided, Witness } from './fault-case.ts'

/** What came out of one piece of evidence. */
export interface FaultFinding {
  /** Proven: every check holds. */
  readonly ok: boolean
  readonly rule: string
  readonly offender: string
  readonly says: string
  /** In order, up to the first that fails. */
  readonly checks: readonly FaultCheck[]
  /** `witnessed`: it rests on what the judge and its observers did not hear, and others may find otherwise. */
  readonly basis: 'signed' | 'witnessed'
}

/** Every rule that can be proven, by its id. Rules that need a recomputed answer (E5, E6) or hardware (E11) are not here. */
export const faultRules: ReadonlyMap<string, FaultRule> = new Map(
  [
    equivocation,
    hashLockFraud,
    invoiceBait,
    acceptThenFail,
    brokenPolicy,
    falseAttestation,
    selfPreference,
    refuseAfterAccept,
  ].map(rule => [rule.id, rule]),
)

/** Judges evidence. Pure but for the tools; never rejects for what a stranger sent. */
export async function verifyFault(evidence: FaultEvidence, tools: FaultTools): Promise<FaultFinding> {
  const { rule: id, accused: offender, events } = evidence
  const rule = faultRules.get(id)
  const about = { rule: id, offender, basis: rule?.basis ?? 'signed' } as const
  if (!rule) return { ...about, ok: false, says: `Nobody can prove ${id}.`, checks: [check('rule', false)] }
  const checks: FaultCheck[] = []
  const failed = (): boolean => checks.at(-1)?.ok === false
  // Before anything is read: what nobody signed says nothing about anybody.
  checks.push(check('signatures', events.length > 0 && events.every(event => tools.verify(event))))
  if (!failed())
    for await (const next of rule.judge(openCase(evidence, tools))) {
      checks.push(next)
      if (failed()) break
    }
  const witnessed = checks.some(({ name }) => name === 'witness')
  const missing = failed() ? checks.at(-1)?.name : undefined
  const ok = missing === undefined && checks.length > 1
  const basis = witnessed ? 'witnessed' : about.basis
  return {
    ...about,
    basis,
    ok,
    says: ok ? rule.says : `Not proven: the check "${missing ?? 'none'}" does not hold.`,
    checks,
  }
}

/** Most thousandths of a bond that a finding takes which others may not share. */
const WITNESSED_SHARE = 250

/**
 * Units that a proven fault takes from each bond of the offender: a share of the largest one, rounded up, 0 for what
 * nobody can prove. A witnessed finding takes a quarter at most, because others may have heard what the judge did not.
 */
export function penaltyOf(
  rule: string,
  bonds: readonly { readonly units: bigint }[],
  basis: FaultFinding['basis'] = 'signed',
): bigint {
  const share = faultRules.get(rule)?.share ?? 0
  const most = bonds.reduce((largest, { units }) => (units > largest ? units : largest), 0n)
  return (most * BigInt(basis === 'witnessed' ? Math.min(share, WITNESSED_SHARE) : share) + 999n) / 1000n
}
