/**
 * One event and everything that it rests on: fetched from relays alone, recomputed with the functions that the product
 * itself uses. Runs in a browser.
 * @module
 */
import {
  attestation,
  type Event,
  faultEvidence,
  faultVerdict,
  kinds,
  nodeScore,
  routing,
  usageReceipt,
  zapReceipt,
} from '../../../kinds/index.ts'
import type { Relays } from '../../../relays/relay.ts'
import { brief, type Check, check, type Report, type Tools, verdictOf } from './check.ts'
import { evidenceChecks, gatherVerdict, verdictChecks } from './fault.ts'
import { type Finder, openFinder } from './finder.ts'
import { gatherLabel, labelChecks } from './label.ts'
import { gatherZap, zapChecks } from './receipt.ts'
import { gatherRouting, routingChecks } from './routing.ts'
import { gatherScore, scoreFactsChecks } from './score.ts'
import { gatherUsage, usageChecks } from './usage.ts'

export type { Check, Report, Tools } from './check.ts'

export interface VerifyOptions extends Tools {
  readonly relays: Relays
  /** Ends the fetching: what was not found by then counts as missing. */
  readonly signal: AbortSignal
  /** Questions to relays in all. */
  readonly questions?: number
}

/** Fetches an event by its id and verifies it; `undefined` where no relay has it. Never rejects for what strangers sent. */
export async function verifyId(id: string, options: VerifyOptions): Promise<Report | undefined> {
  const finder = openFinder(options)
  const event = (await finder.all([id])).get(id)
  return event && verifyEvent(event, options, finder)
}

/** Verifies an event at hand. */
export async function verifyEvent(
  event: Event,
  options: VerifyOptions,
  finder: Finder = openFinder(options),
): Promise<Report> {
  const known = kinds.find(({ number }) => number === event.kind)
  const what = words.get(event.kind) ?? known?.name ?? 'event'
  const report = (checks: readonly Check[]): Report => ({ ok: verdictOf(checks), kind: event.kind, what, checks })
  const signed = options.verify(event)
  const signature = check('signature', signed, signed ? `${brief(event.pubkey)} signed it.` : 'Nobody signed it.')
  if (!signed) return report([signature])
  const rest = await tried(event, options, finder)
  if (rest !== undefined) return report([signature, ...rest])
  const says = known
    ? `Nothing is recomputed for this kind (${known.name}): what it says is its author’s own word.`
    : `Kind ${event.kind} is not known here.`
  const read = known && readable(known.read(event))
  return report([signature, ...(read ? [read] : []), check('recomputed', null, `${says} Verified are: ${verified}.`)])
}

const words: ReadonlyMap<number, string> = new Map([
  [routing.number, 'routing event'],
  [nodeScore.number, 'score'],
  [attestation.number, 'attestation'],
  [faultEvidence.number, 'fault'],
  [faultVerdict.number, 'verdict'],
  [zapReceipt.number, 'zap receipt'],
  [usageReceipt.number, 'usage receipt'],
])
const verified = [...words.values()].join(', ')

const readable = (read: { readonly ok: boolean; readonly says?: string }): Check =>
  check(
    'readable',
    read.ok,
    read.ok ? 'It keeps the rules of its kind.' : `It breaks a rule of its kind: ${read.says ?? ''}`,
  )

/** The checks of a kind that can be recomputed. */
async function tried(event: Event, tools: Tools, finder: Finder): Promise<Check[] | undefined> {
  switch (event.kind) {
    case routing.number: {
      const read = routing.read(event)
      if (!read.ok) return [readable(read)]
      return [readable(read), ...(await routingChecks(await gatherRouting(event, read.value, finder), tools))]
    }
    case nodeScore.number: {
      const read = nodeScore.read(event)
      if (!read.ok) return [readable(read)]
      return [readable(read), ...scoreFactsChecks(await gatherScore(event, read.value, finder))]
    }
    case attestation.number: {
      const read = attestation.read(event)
      if (!read.ok) return [readable(read)]
      return [readable(read), ...(await labelChecks(await gatherLabel(event, read.value, finder), tools))]
    }
    case faultEvidence.number: {
      const read = faultEvidence.read(event)
      return read.ok ? [readable(read), ...(await evidenceChecks(read.value, tools))] : [readable(read)]
    }
    case faultVerdict.number: {
      const read = faultVerdict.read(event)
      if (!read.ok) return [readable(read)]
      return [readable(read), ...(await verdictChecks(await gatherVerdict(event, read.value, finder), tools))]
    }
    case zapReceipt.number: {
      const read = zapReceipt.read(event)
      if (!read.ok) return [readable(read)]
      return [readable(read), ...zapChecks(await gatherZap(event, read.value, finder), tools)]
    }
    case usageReceipt.number: {
      const read = usageReceipt.read(event)
      if (!read.ok) return [readable(read)]
      return [readable(read), ...(await usageChecks(await gatherUsage(event, read.value, finder), tools))]
    }
    default:
      return undefined
  }
}
