/**
 * Evidence of a fault (4641) and verdicts on it (4642): the rule is run again.
 * @module
 */
import {
  type Attestation,
  bond,
  type Event,
  type FaultEvidence,
  type FaultVerdict,
  faultEvidence,
  ofKinds,
} from '../../../kinds/index.ts'
import { type FaultFinding, penaltyOf, verifyFault } from '../../ledger/index.ts'
import { faultTools } from '../../router/fault-tools.ts'
import { brief, type Check, check, type Tools } from './check.ts'
import type { Finder } from './finder.ts'

/** Rules that rest on what others heard: nobody is believed here, so they stay open. */
const needsWitness = ({ checks }: FaultFinding): boolean => checks.some(({ name, ok }) => name === 'witness' && !ok)

/** Tries evidence; the name of each condition of its rule is the name of a check. */
export async function evidenceChecks(evidence: FaultEvidence, { verify }: Tools): Promise<Check[]> {
  const finding = await verifyFault(evidence, faultTools(verify))
  if (needsWitness(finding))
    return [
      ...finding.checks.filter(({ ok }) => ok).map(({ name }) => check(`fault-${name}`, true, 'It holds.')),
      check(
        'fault',
        null,
        `${evidence.rule} rests on what those who listen heard, and nobody is believed about that here.`,
      ),
    ]
  const known = finding.checks.length > 1 || finding.checks[0]?.name !== 'rule'
  return [
    ...finding.checks.map(({ name, ok }) => check(`fault-${name}`, ok, ok ? 'It holds.' : 'It does not hold.')),
    check('fault', known ? finding.ok : null, `${finding.says} (${evidence.rule}, ${brief(evidence.accused)})`),
  ]
}

/** Evidence that is among these events. */
function* evidenceAmong(events: readonly Event[]): Generator<FaultEvidence> {
  for (const event of events) {
    const read = event.kind === faultEvidence.number ? faultEvidence.read(event) : undefined
    if (read?.ok) yield read.value
  }
}

/** A label (1985) that bans for a proven fault: it names evidence, and the rule is run over that. */
export async function banChecks(
  { node, code = '', evidence }: Attestation,
  found: ReadonlyMap<string, Event>,
  { verify }: Tools,
): Promise<Check[]> {
  const cases = [...evidenceAmong(evidence.flatMap(id => found.get(id) ?? []))]
  const shown = new Set([...found.keys(), ...cases.flatMap(({ events }) => events.map(({ id }) => id))])
  const missing = evidence.find(id => !shown.has(id))
  const there = check(
    'evidence',
    missing === undefined ? true : null,
    missing === undefined
      ? 'All that it names as evidence is there.'
      : `${brief(missing)}, which it names as evidence, is not on these relays.`,
  )
  const fitting = cases.filter(({ rule, accused }) => rule === code && accused === node)
  const findings = await Promise.all(fitting.map(one => verifyFault(one, faultTools(verify))))
  const finding = findings.find(({ ok }) => ok) ?? findings[0]
  if (!finding)
    return [
      there,
      check(
        'fault',
        missing === undefined ? false : null,
        `It names no evidence of ${code} against this node that is here.`,
      ),
    ]
  return [there, check('fault', needsWitness(finding) ? null : finding.ok, `${code}: ${finding.says}`)]
}

export interface VerdictFacts {
  readonly said: FaultVerdict
  readonly evidence: Event | undefined
  readonly bonds: readonly Event[]
  readonly at: number
}

export async function gatherVerdict(event: Event, said: FaultVerdict, finder: Finder): Promise<VerdictFacts> {
  const evidence = (await finder.all([said.evidence])).get(said.evidence)
  const bonds = said.penalty > 0n ? await finder.find([ofKinds([bond.number], { authors: [said.accused] })], 64) : []
  return { said, evidence, bonds, at: event.created_at }
}

export async function verdictChecks({ said, evidence, bonds, at }: VerdictFacts, { verify }: Tools): Promise<Check[]> {
  if (!evidence)
    return ['evidence', 'verdict', 'penalty'].map(name =>
      check(name, null, 'The evidence that it names is not on these relays.'),
    )
  const read = evidence.kind === faultEvidence.number ? faultEvidence.read(evidence) : undefined
  const about = read?.ok && read.value.rule === said.rule && read.value.accused === said.accused
  if (!read?.ok || !about)
    return [
      check('evidence', said.proven ? false : null, 'What it names is no evidence of this fault against this key.'),
    ]
  const finding = await verifyFault(read.value, faultTools(verify))
  const open = needsWitness(finding)
  const same = finding.ok === said.proven
  return [
    check('evidence', true, 'The evidence that it names is there.'),
    check(
      'verdict',
      open ? null : same,
      open
        ? `${said.rule} rests on what those who listen heard.`
        : same
          ? `The rule comes to the same: ${finding.says}`
          : `The rule comes to something else: ${finding.says}`,
    ),
    penaltyCheck(said, finding, bonds, at),
  ]
}

function penaltyCheck(said: FaultVerdict, finding: FaultFinding, events: readonly Event[], at: number): Check {
  if (said.penalty === 0n) return check('penalty', true, 'It takes nothing.')
  const all = events.flatMap(event => {
    const read = bond.read(event)
    return read.ok ? [{ units: read.value.units, at: event.created_at }] : []
  })
  if (all.length === 0) return check('penalty', null, 'No bond of the accused is on these relays.')
  const expected = penaltyOf(said.rule, all, finding.basis)
  if (expected === said.penalty) return check('penalty', true, 'It takes what the rule takes of its largest bond.')
  return check(
    'penalty',
    all.some(one => one.at > at) ? null : false,
    `It takes ${said.penalty} units; of the bonds on these relays the rule takes ${expected}.`,
  )
}
