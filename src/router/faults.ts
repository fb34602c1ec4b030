/**
 * Judges evidence of faults that anybody brings. What is proven bans the offender by a label in the own log and takes its
 * stake by a verdict; what is not proven gets an answer only where it is about a job of ours. Nobody is believed: a
 * finding rests on what the accused itself signed.
 * @module
 */
import {
  addressees,
  bondEntry,
  type Event,
  type FaultEvidence,
  faultEvidence,
  faultVerdict,
  jobIdOf,
  parseEvent,
  quote,
  resultKind,
  textRequest,
} from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { bounded, seenSet } from '../bounded.ts'
import { type Clock, seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { type FaultFinding, type FaultTools, leastEvidence, penaltyOf, verifyFault } from '../ledger/index.ts'
import { weigh } from './cases.ts'
import { faultTools } from './fault-tools.ts'
import type { Labels } from './labels.ts'
import { type Offence, openOffences } from './offences.ts'
import type { Stakes } from './stakes.ts'

export interface FaultsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly labels: Pick<Labels, 'fault'>
  readonly stakes: Pick<Stakes, 'heard' | 'bondsOf'>
  readonly limits?: Partial<FaultLimits>
  isNode(pubkey: string): boolean
  /** Whether this router sent a job of this customer to that node, and still waits for what comes of it. */
  isOwnJob(job: string, node: string, customer: string): boolean
  onVerdict(event: Event, says: string): void
  onTrouble(says: string): void
  /** The stake of a key changed. */
  onStake(pubkey: string): void
}

export interface FaultLimits {
  /** Evidence of one author and of all. Beyond it there is silence. */
  readonly perAuthorPerMinute: number
  readonly perMinute: number
  /** Cases of one rule against one key: more would say nothing new. */
  readonly cases: number
  /** Offences that are remembered. */
  readonly kept: number
}

export interface Faults {
  /** Evidence, its own signature verified. */
  heard(event: Event): void
  /** A node or router was heard of. */
  present(pubkey: string, as: 'node' | 'router'): void
  /** Whether a fault of this key was proven here. */
  offends(pubkey: string): boolean
  isProven(rule: string, pubkey: string): boolean
  /** A node, or a router that was heard of: others are nobody's business. */
  isKnown(pubkey: string): boolean
  readonly tools: FaultTools
  /** Labels for which there was no room. */
  tick(): void
  /** Resolves when all that was heard is judged. */
  readonly idle: Promise<void>
  close(): Promise<void>
}

const defaults: FaultLimits = { perAuthorPerMinute: 6, perMinute: 120, cases: 8, kept: 10_000 }
/** Evidence that waits for its turn, and about keys that nobody has heard of yet. */
const mostQueued = 256
const mostWaiting = 64
const mostOfOne = 4
const longestWaiting = 65_536
const mostRouters = 4_096
const keepMs = 600_000

export function openFaults(options: FaultsOptions): Faults {
  const { relays, keys, secret, clock, labels, stakes, isNode, isOwnJob, onVerdict, onTrouble } = options
  const limits = { ...defaults, ...options.limits }
  const me = keys.publicKey(secret)
  const now = () => seconds(clock)
  const authors = openBuckets(limits.perAuthorPerMinute, limits.perAuthorPerMinute, 10_000, () => clock.now())
  const all = openBuckets(limits.perMinute, limits.perMinute / 2, 1, () => clock.now())
  const seen = seenSet(10_000)
  const routers = bounded<string, true>(mostRouters)
  const waiting = bounded<string, readonly Event[]>(mostWaiting)
  const offences = openOffences(options.journal, limits.kept)
  const due: Offence[] = []
  const queue: Event[] = []
  let idle = Promise.resolve()
  let working = false
  let closed = false
  const tools = faultTools(event => keys.verify(event))
  const isKnown = (pubkey: string) => isNode(pubkey) || routers.has(pubkey)

  for (const offence of offences.all()) {
    const event = parseEvent(offence.verdict)
    const read = event && faultVerdict.read(event)
    if (!event || !read?.ok) continue
    seen.add(read.value.evidence)
    if (offence.proven) stakes.heard(event)
    if (offence.label && !offence.labelled) due.push(offence)
    if (!offence.sent) publish(offence, event)
  }

  function take(event: Event) {
    if (closed || queue.length >= mostQueued || seen.has(event.id)) return
    seen.add(event.id)
    queue.push(event)
    if (working) return
    working = true
    idle = work()
  }

  async function work() {
    for (let next = queue.shift(); next && !closed; next = queue.shift())
      try {
        await judge(next)
      } catch (error) {
        onTrouble(String(error))
      }
    working = false
  }

  async function judge(event: Event) {
    const read = faultEvidence.read(event)
    if (!read.ok) return
    const { rule, accused } = read.value
    if (offences.count(rule, accused) >= limits.cases) return
    const finding = await verifyFault(read.value, tools)
    // What rests on what others heard is no proof, and the judge here has no witness anyway.
    if (finding.ok && finding.basis === 'signed') return prove(event, read.value, finding)
    const named = read.value.events.flatMap(one => [one.id, jobIdOf(one) ?? one.id])
    const job = named.find(id => isOwnJob(id, accused, event.pubkey))
    if (job === undefined) return
    say(event, read.value, { name: job, proven: false, says: finding.says })
  }

  async function prove(event: Event, evidence: FaultEvidence, finding: FaultFinding) {
    // Whoever adds something else that the offender signed has no second case.
    const core = (await leastEvidence(evidence, tools)).events.filter(({ pubkey }) => pubkey === evidence.accused)
    // A quote is about a request that no relay keeps.
    const acts = core.filter(({ kind }) => kind !== quote.number)
    const [name = ''] = acts.map(subjectOf).toSorted()
    const about = acts.find(one => subjectOf(one) === name)
    const job = evidence.events.find(({ id }) => id === name)
    const label = { job: name, kind: job?.kind ?? kindOf(about), evidence: [event.id, ...core.map(({ id }) => id)] }
    say(event, evidence, { name, proven: true, says: finding.says, label, finding })
  }

  function say(
    event: Event,
    { rule, accused }: FaultEvidence,
    found: Pick<Offence, 'name' | 'proven' | 'says' | 'label'> & { readonly finding?: FaultFinding },
  ) {
    const { finding, ...about } = found
    const penalty = finding ? penaltyOf(rule, stakes.bondsOf(accused), finding.basis) : 0n
    const verdict = keys.sign(
      faultVerdict.write({ evidence: event.id, accused, rule, proven: about.proven, penalty, says: about.says }, now()),
      secret,
    )
    const offence = { ...about, rule, accused, verdict: JSON.stringify(verdict), sent: false, labelled: false }
    if (!offences.keep(offence)) return
    if (about.proven) {
      if (stakes.heard(verdict) !== undefined) options.onStake(accused)
      ban(offence)
    }
    publish(offence, verdict)
    onVerdict(verdict, `${rule} ${about.proven ? 'proven' : 'not proven'}: ${accused}`)
  }

  /** Only nodes stand in the log: others are scored by nobody. */
  function ban(offence: Offence) {
    const { rule, accused, label, says } = offence
    if (!label || offence.labelled || !isNode(accused)) return
    const draft = {
      ...{ topic: 'audit' as const, label: 'failed', node: accused, job: label.job, kind: label.kind, model: '' },
      ...{ evidence: label.evidence.slice(0, 16), checks: [], failed: [rule], code: rule, at: now(), says },
    }
    if (!labels.fault(draft, () => offences.label(offence)) && due.length < mostQueued) due.push(offence)
  }

  function publish(offence: Offence, event: Event) {
    relays
      .publish(event, { want: 1, keepMs })
      .then(({ accepted }) => {
        if (accepted > 0 && !closed) offences.sent(offence)
      })
      .catch(error => onTrouble(String(error)))
  }

  return {
    tools,
    offends: offences.offends,
    isProven: (rule, pubkey) => offences.count(rule, pubkey) > 0,
    isKnown,
    get idle() {
      return idle
    },
    heard(event) {
      const [accused] = addressees(event)
      if (accused === undefined || accused === me || seen.has(event.id)) return
      if (event.pubkey !== me) {
        if (!authors.has(event.pubkey) || !all.has('')) return
        authors.take(event.pubkey)
        all.take('')
      }
      if (isKnown(accused)) take(event)
      else if (weigh(event) <= longestWaiting)
        waiting.set(accused, [...(waiting.get(accused) ?? []).slice(1 - mostOfOne), event])
    },
    present(pubkey, as) {
      if (as === 'router') routers.set(pubkey, true)
      const early = waiting.get(pubkey) ?? []
      if (early.length > 0) waiting.delete(pubkey)
      for (const event of early) take(event)
      if (as === 'node') for (const offence of offences.of(pubkey)) ban(offence)
    },
    tick() {
      for (const offence of due.splice(0)) ban(offence)
    },
    async close() {
      closed = true
      await idle
    },
  }
}

/** What a statement of an offender is about: a job, a request, or itself. */
const subjectOf = (event: Event): string => (event.kind === bondEntry.number ? event.id : (jobIdOf(event) ?? event.id))

function kindOf(event: Event | undefined): number {
  if (event?.kind === bondEntry.number) return event.kind
  const asked = (event?.kind ?? 0) - resultsAfter
  return event && resultKind(asked) === event.kind ? asked : textRequest.number
}

/** NIP-90: the kind of a result is that of its request and 1,000. */
const resultsAfter = 1_000
