/**
 * What must be true of every paid job after everything went quiet, whatever the relays did.
 * @module
 */
import { isEnd } from '../../src/job.ts'
import type { Transaction } from '../../src/payments/payment.ts'
import { type Played, PRICE, QUESTION } from './paid-job.ts'

/** The rules that a run can break. */
export type Broken =
  | 'paid-twice'
  | 'lost'
  | 'hidden'
  | 'unseen'
  | 'orphan'
  | 'not-conserved'
  | 'free-work'
  | 'wrong-answer'
  | 'leaked'

export interface Verdict {
  readonly broken: readonly Broken[]
  /** `ok`: answered and paid. `credit`: paid, not answered, and both sides know what the node keeps. Else the code of the end. */
  readonly word: string
}

const settled = (rows: readonly Transaction[]) => rows.filter(row => row.state === 'settled')
const sum = (rows: readonly { msats: bigint }[]) => rows.reduce((all, { msats }) => all + msats, 0n)

/** Judges a run by the invariants of the money. */
export function judge(played: Played): Verdict {
  const { outcome, nodeEvents, nodeJobs, sent, received, conserved, passed, code } = played
  const broken: Broken[] = []
  const rule = (holds: boolean, name: Broken) => void (holds || broken.push(name))
  const [left, came] = [settled(sent), settled(received)]
  const told = (name: string) => nodeEvents.filter(({ event }) => event === name)
  const kept = sum(told('credit').map(({ msats }) => ({ msats: msats ?? 0n })))
  const answered = outcome?.ok === true
  const inDoubt = outcome?.code === 'payment-unknown'

  rule(left.length <= 1 && new Set(left.map(({ hash }) => hash)).size === left.length, 'paid-twice')
  rule(conserved, 'not-conserved')
  // A payment ends in an answer, or in credit of which the node tells and the customer holds the proof.
  rule(sum(left) === 0n || (answered && sum(left) <= PRICE) || kept >= sum(left) || bought(played), 'lost')
  rule(outcome === undefined ? left.length === 0 : inDoubt || outcome.msats === sum(left), 'hidden')
  rule(sum(came) === sum(told('paid').map(({ msats }) => ({ msats: msats ?? 0n }))) + lateOf(played), 'unseen')
  rule(nodeJobs.length === 0 && (outcome === undefined || inDoubt || isEnd(outcome.job.state)), 'orphan')
  rule(!sent.some(({ state }) => state === 'pending'), 'orphan')
  // Work begins for money that the wallet has, not for what somebody says.
  rule(told('running').length <= left.length, 'free-work')
  rule(!answered || (outcome.text === QUESTION && sum(left) === PRICE), 'wrong-answer')
  rule(!passed.some(({ text }) => text.includes(QUESTION)), 'leaked')

  const credited = !answered && kept > 0n
  return {
    broken: [...new Set(broken)],
    word: answered ? 'ok' : credited ? 'credit' : (outcome?.code ?? code ?? 'none'),
  }
}

/** The customer withdrew a job that it had paid and that was being worked on: that work was bought. */
const bought = ({ outcome, nodeEvents }: Played): boolean =>
  outcome?.code === 'cancelled' && nodeEvents.some(({ event }) => event === 'running')

/** Credit of payments that the node never called `paid`, because they came when nobody waited for them. */
function lateOf({ nodeEvents }: Played): bigint {
  const paid = new Set(nodeEvents.filter(({ event }) => event === 'paid').map(({ job }) => job))
  return sum(
    nodeEvents
      .filter(({ event, job }) => event === 'credit' && !paid.has(job))
      .map(({ msats }) => ({ msats: msats ?? 0n })),
  )
}
