/**
 * The contract of fault rules: what a judge brings, what a rule is given, what comes out. Rules are pure: the same
 * evidence and tools give the same finding to everybody.
 * @module
 */
import {
  type Event,
  type FaultEvidence,
  isSealed,
  type Kind,
  type Routing,
  type SealedUnder,
  schemeOf,
} from '../../kinds/index.ts'
import { fromHex, sha256Hex } from '../hash.ts'

/** What an invoice says, as the reader of invoices gives it. */
export interface InvoiceSaid {
  readonly network: 'mainnet' | 'testnet' | 'signet' | 'regtest' | 'simnet'
  readonly msats?: bigint
  readonly hash: string
  readonly payee: string
  readonly timestamp: number
  readonly expiresAt: number
}

/** What the judge of zap receipts is told. Everything that rests on more than the receipt's own bytes is ignored here. */
export interface ReceiptAbout {
  readonly job: Event
  readonly node: string
  readonly zappers: readonly string[]
  readonly nodeKeys: readonly string[]
  readonly network: InvoiceSaid['network']
  readonly now: number
  readonly verify: (event: Event) => boolean
}

/** A decision made again over the published sample: what does not follow from it. */
export interface Redecided {
  readonly faults: readonly { readonly rule: string; readonly says: string }[]
}

/** What only somebody who listens to relays can say. Rules that need it are threshold rules and never plain proof. */
export interface Witness {
  /** Whether the judge takes this key's word for what it did not hear. */
  observer(pubkey: string): boolean
  /** Whether the judge knows a result of this node for this job, or its word that it keeps the money as credit. */
  answered(job: string, node: string): boolean
  /** Whether two payers are certainly not one: new keys are free. */
  unrelated(one: string, other: string): boolean
  /** Whether this announcement was the newest of its name at that time, unix seconds. */
  inForce(announcement: Event, at: number): boolean
}

/** What a judge brings. Signatures of readers and openers fit those of the rooms that own them. */
export interface FaultTools {
  /** Id and signature. */
  verify(event: Event): boolean
  invoice(bolt11: string): { readonly ok: true; readonly invoice: InvoiceSaid } | { readonly ok: false }
  /** Text of a NIP-44 payload by its conversation key; its MAC binds the payload to one key, so that nobody can lie about what it says. */
  openConversation(conversationKey: string, payload: string): string | undefined
  openUnder(
    preimage: string,
    content: string,
    under: SealedUnder,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly rule: string }>
  /** The verdict on a zap receipt: every reason against it. */
  judgeReceipt(receipt: Event, about: ReceiptAbout): { readonly reasons: readonly string[] }
  /** The decision made again; `undefined` where policy or parameters are not known. */
  redecide(routing: Routing): Redecided | undefined
  readonly witness?: Witness
}

/** One condition of a rule. All must hold. */
export interface FaultCheck {
  readonly name: string
  readonly ok: boolean
}

/** An event that was read, with what it says. */
export interface Told<V> {
  readonly event: Event
  readonly value: V
}

/** Evidence whose signatures hold, ready to be looked through. */
export interface FaultCase {
  readonly accused: string
  readonly evidence: FaultEvidence
  readonly tools: FaultTools
  /** Every event of this kind that can be read; sealed ones only where their key is disclosed. */
  all<V>(kind: Kind<V>): Told<V>[]
  /** Those that the accused signed. */
  own<V>(kind: Kind<V>): Told<V>[]
  /** What a sealed event says by its disclosed key, the content of any other. */
  open(event: Event): string | undefined
}

/** A rule: its conditions in order. A rule stops at the first that fails, so that later ones may rely on earlier ones. */
export interface FaultRule {
  readonly id: string
  readonly says: string
  /** `signed`: bytes alone prove it. `witnessed`: a threshold over what the judge and named observers saw. */
  readonly basis: 'signed' | 'witnessed'
  /** Thousandths of a bond that it takes. */
  readonly share: number
  judge(matter: FaultCase): AsyncIterable<FaultCheck> | Iterable<FaultCheck>
}

/** Lays out evidence. */
export function openCase(evidence: FaultEvidence, tools: FaultTools): FaultCase {
  const { accused, events, keys = {} } = evidence
  function open(event: Event): string | undefined {
    if (!isSealed(event)) return event.content
    const key = Object.hasOwn(keys, event.id) ? keys[event.id] : undefined
    // NIP-04 binds its ciphertext to no key: whoever shows one could choose what it says.
    if (key === undefined || schemeOf(event.content) !== 'nip44') return undefined
    return tools.openConversation(key, event.content)
  }
  function all<V>(kind: Kind<V>): Told<V>[] {
    return events.flatMap(event => {
      if (event.kind !== kind.number) return []
      const said = open(event)
      if (said === undefined) return []
      const read = kind.read(event, isSealed(event) ? said : undefined)
      return read.ok ? [{ event, value: read.value }] : []
    })
  }
  return { accused, evidence, tools, all, own: kind => all(kind).filter(({ event }) => event.pubkey === accused), open }
}

/** True where a preimage (32 bytes hex) opens a payment hash. */
export const reveals = (preimage: string | undefined, hash: string | undefined): boolean =>
  preimage !== undefined && /^[0-9a-f]{64}$/.test(preimage) && sha256Hex(fromHex(preimage)) === hash

/** One condition. */
export const check = (name: string, ok: boolean): FaultCheck => ({ name, ok })
