/**
 * The contract of this room, and one case as its verifier sees it: the money is held for a hash, the verifier has nothing
 * but the preimage, and it either gives it to the provider or does not. Pure: no clock, key, relay or preimage in here.
 * @module
 */
import type { TextRequest, TextResult } from '../../kinds/index.ts'

/** One case: a job, the provider that is held to it, and what was decided. Decided once, for ever. */
export interface EscrowCase {
  readonly job: string
  readonly node: string
  readonly customer: string
  readonly hash: string
  readonly msats: bigint
  /** Unix seconds from which nothing is released any more. */
  readonly deadline: number
  readonly state: 'open' | 'judging' | 'released' | 'refunded'
  /** Id of the result that was handed over; the first one counts. */
  readonly result?: string
  readonly claimedAt?: number
  /** The customer's word; the first one counts. */
  readonly said?: 'accept' | 'complain'
  /** Why it was decided so. */
  readonly says: string
}

export type EscrowFact =
  /** The provider asks for the hash, perhaps again. */
  | { readonly fact: 'open'; readonly msats: bigint; readonly deadline: number; readonly now: number }
  /** The customer asks whether this is the hash. */
  | { readonly fact: 'asked'; readonly msats: bigint; readonly now: number }
  /** A result that was read and belongs to the job. */
  | { readonly fact: 'claim'; readonly result: string; readonly now: number }
  | { readonly fact: 'customer'; readonly word: 'accept' | 'complain' }
  | { readonly fact: 'verdict'; readonly result: string; readonly judgement: Judgement; readonly now: number }
  | { readonly fact: 'time'; readonly now: number }
  | { readonly fact: 'restart'; readonly now: number }

export type EscrowAct =
  /** To the provider, or to the customer where it asked. `release` goes with the preimage, and to the provider only. */
  | {
      readonly act: 'say'
      readonly to: 'node' | 'customer'
      readonly word: 'hash' | 'release' | 'refund' | 'refused'
      readonly says: string
    }
  | { readonly act: 'judge'; readonly result: string }

export interface Judgement {
  readonly word: 'release' | 'refund'
  /** One sentence for both sides. */
  readonly says: string
}

/** What a judge looks at. Signatures, job, customer, provider and digests of request and result were checked. */
export interface Matter {
  readonly case: EscrowCase
  readonly request: TextRequest
  readonly result: TextResult
  /** The customer's word, as soon as there is one; rejects with the abort reason. */
  customerWord(signal: AbortSignal): Promise<'accept' | 'complain'>
}

/** Decides one matter. A rejection decides nothing: the case waits for the next claim, a restart, or its deadline. */
export type Judge = (matter: Matter, signal: AbortSignal) => Promise<Judgement>

const late = 'The time for it has passed.'
const say = (word: 'hash' | 'release' | 'refund' | 'refused', says: string, to: 'node' | 'customer' = 'node') =>
  ({ act: 'say', to, word, says }) as const

/** What was decided, or that it is not decided, said to the provider. */
function tellNode(one: EscrowCase): EscrowAct {
  if (one.state === 'released') return say('release', one.says)
  if (one.state === 'refunded') return say('refund', one.says)
  return say('hash', '')
}

const isDecided = (one: EscrowCase): boolean => one.state === 'released' || one.state === 'refunded'

function decide(one: EscrowCase, { word, says }: Judgement): readonly [EscrowCase, readonly EscrowAct[]] {
  const decided: EscrowCase = { ...one, state: word === 'release' ? 'released' : 'refunded', says }
  return [decided, [tellNode(decided)]]
}

/** Begins a case for a hash whose preimage was kept before. */
export function openCase(
  opening: Pick<EscrowCase, 'job' | 'node' | 'customer' | 'hash' | 'msats' | 'deadline'>,
): readonly [EscrowCase, readonly EscrowAct[]] {
  const one: EscrowCase = { ...opening, state: 'open', says: '' }
  return [one, [tellNode(one)]]
}

/** The next state of a case and what is to be done. Total; repeating a fact changes nothing; a decision never changes. */
export function step(one: EscrowCase, fact: EscrowFact): readonly [EscrowCase, readonly EscrowAct[]] {
  if ('now' in fact && fact.now >= one.deadline && !isDecided(one)) {
    const [decided, acts] = decide(one, { word: 'refund', says: late })
    return fact.fact === 'asked' ? [decided, [...acts, say('refused', late, 'customer')]] : [decided, acts]
  }
  switch (fact.fact) {
    case 'open': {
      const same = fact.msats === one.msats && fact.deadline === one.deadline
      return [one, [same ? tellNode(one) : say('refused', 'This case is open with another amount or deadline.')]]
    }
    case 'asked': {
      if (isDecided(one)) return [one, [say('refused', 'This case is decided: pay nothing for it.', 'customer')]]
      const same = fact.msats === one.msats
      return [one, [same ? say('hash', '', 'customer') : say('refused', 'This is not what is held.', 'customer')]]
    }
    case 'claim': {
      if (isDecided(one)) return [one, [tellNode(one)]]
      if (one.result !== undefined && one.result !== fact.result)
        return [one, [say('refused', 'Another result was handed over before: the first one counts.')]]
      const claimed: EscrowCase =
        one.state === 'judging' ? one : { ...one, state: 'judging', result: fact.result, claimedAt: fact.now }
      return [claimed, [{ act: 'judge', result: fact.result }]]
    }
    case 'customer':
      return [one.said !== undefined || isDecided(one) ? one : { ...one, said: fact.word }, []]
    case 'verdict':
      return one.state === 'judging' && one.result === fact.result ? decide(one, fact.judgement) : [one, []]
    case 'time':
      return [one, []]
    case 'restart':
      return [one, one.state === 'judging' && one.result !== undefined ? [{ act: 'judge', result: one.result }] : []]
  }
}

/** Unix second of the next `time` fact; none for a decided case. */
export const wakeAt = (one: EscrowCase): number | undefined => (isDecided(one) ? undefined : one.deadline)
