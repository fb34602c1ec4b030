/**
 * Evidence that only the customer has: what was sealed to it. It is tried first, and only what proves a fault is shown,
 * and of that the least. A sealed event is shown with the key of the conversation, which opens everything between this
 * key of the customer and the node: whoever asks with a new key for each job gives away that job alone.
 * @module
 */
import {
  type Event,
  type FaultEvidence,
  faultEvidence,
  isSealed,
  MOST_EVIDENCE_EVENTS,
  present,
  routing,
} from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { toHex } from '../hash.ts'
import type { Keys } from '../keys.ts'
import { type FaultTools, leastEvidence, verifyFault } from '../ledger/index.ts'
import { conversationKey } from '../seal/nip44.ts'

export interface AccuseOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  /** Signs the evidence, and opens what was sealed to it. */
  readonly secret: Uint8Array
  readonly tools: FaultTools
}

/** Evidence (4641) that was published. */
export interface Accusation {
  readonly rule: string
  readonly accused: string
  readonly id: string
  readonly says: string
}

/** What one job left behind. */
export interface JobPapers {
  readonly request: Event
  /** Feedback and results, of whomever. */
  readonly answers: readonly Event[]
  readonly preimage?: string
}

/** What a customer alone may be able to show. Other rules need other people's words. */
const rules = ['E2', 'E3', 'E7', 'E10', 'E1'] as const

/** Publishes what the papers of a job prove against its node, if anything. Never rejects for what others do. */
export async function accuseNode(
  options: AccuseOptions,
  node: string,
  { request, answers, preimage }: JobPapers,
): Promise<Accusation | undefined> {
  const said = answers.filter(({ pubkey }) => pubkey === node)
  const events = [request, ...said.slice(1 - MOST_EVIDENCE_EVENTS)]
  const conversation = toHex(conversationKey(options.keys.shared(options.secret, node)))
  const keys = Object.fromEntries(events.filter(isSealed).map(({ id }) => [id, conversation]))
  if (said.length === 0) return undefined
  return accuse(options, rules, present({ accused: node, events, opened: {}, keys, preimage, says: '' }))
}

/** Publishes that a routing event does not follow from what it says itself, where that is so. */
export async function accuseRouter(options: AccuseOptions, said: Event): Promise<Accusation | undefined> {
  if (said.kind !== routing.number) return undefined
  return accuse(options, ['E9'], { accused: said.pubkey, events: [said], opened: {}, says: '' })
}

async function accuse(
  { relays, keys, clock, secret, tools }: AccuseOptions,
  tried: readonly string[],
  papers: Omit<FaultEvidence, 'rule'>,
): Promise<Accusation | undefined> {
  for (const rule of tried) {
    const finding = await verifyFault({ rule, ...papers }, tools)
    if (!finding.ok || finding.basis !== 'signed') continue
    const { says } = finding
    const least = await leastEvidence({ rule, ...papers }, tools)
    const event = keys.sign(faultEvidence.write({ ...least, says }, seconds(clock)), secret)
    const { accepted } = await relays.publish(event, { want: 1 })
    return accepted === 0 ? undefined : { rule, accused: papers.accused, id: event.id, says }
  }
  return undefined
}
