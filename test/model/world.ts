/**
 * A whole market in one value: client job × node job × wallet × a relay that drops, repeats and reorders × crashes.
 * Both jobs are stepped by the reducer under test; everything else here is the simplest thing that can go wrong.
 * @module
 */

import type { openClientJob } from '../../src/job/client-side.ts'
import type { openNodeJob } from '../../src/job/node-side.ts'
import type { ClientAct, ClientFact, ClientJob, NodeAct, NodeFact, NodeJob, When } from '../../src/job.ts'

/** The functions under test, so that a planted fault can take the place of one. */
export interface Heart {
  step(job: NodeJob, fact: NodeFact): readonly [NodeJob, readonly NodeAct[]]
  step(job: ClientJob, fact: ClientFact): readonly [ClientJob, readonly ClientAct[]]
  wakeAt(job: NodeJob | ClientJob): number | undefined
  openNodeJob: typeof openNodeJob
  openClientJob: typeof openClientJob
}

/** How often each kind of fault may happen on one path. */
export interface Budget {
  readonly drop: number
  readonly twice: number
  readonly clientCrash: number
  readonly nodeCrash: number
  readonly walletFails: number
  readonly walletSilent: number
  readonly runnerDies: number
  readonly cancel: number
  /** The network gives held money back before anybody decided. */
  readonly heldBack: number
  /** A stranger answers too, and the chosen node itself sends a second invoice. */
  readonly hostile: number
}

export interface Setting {
  readonly name: string
  readonly when: When
  readonly open: boolean
  readonly budget: Budget
  /** Of parts, so many were bought elsewhere before. Default 0. */
  readonly from?: number
  /** The price is the most that it may cost: what the answer takes is 1. */
  readonly metered?: boolean
}

/** Into how many parts the price is divided: two are billed. */
export const partsOf = ({ from = 0 }: Setting): number => parts + from
/** What all parts cost, those that were bought elsewhere included. */
export const priceOf = (setting: Setting): bigint => BigInt(partsOf(setting))

/** One invoice: how far the customer's wallet is with it. */
export interface Bill {
  readonly hash: string
  readonly expiresAt: number
  /** `held` has arrived and waits for the node's decision. */
  readonly order: 'none' | 'asked' | 'begun' | 'held' | 'settled' | 'failed'
  readonly debits: number
  readonly msats: bigint
  /** The node lets nobody pay it any more. */
  readonly closed?: true
}

export interface World {
  readonly now: number
  readonly client: ClientJob
  readonly clientActs: readonly ClientAct[]
  readonly node?: NodeJob
  readonly nodeActs: readonly NodeAct[]
  /** Messages under way, sorted. */
  readonly net: readonly string[]
  readonly bills: readonly Bill[]
  /** The wallet's answer that is on its way to the client. */
  readonly reply?: 'paid' | 'failed'
  readonly running: boolean
  readonly watching: boolean
  readonly said: string
  readonly withdrawn: boolean
  readonly runs: number
  readonly crashes: number
  readonly creditMsats: number
  readonly deliveredUnpaid: boolean
  /** What the node keeps for the customer from before. */
  readonly keptMsats: bigint
  /** The answer was published at least once; and held money was taken before that. */
  readonly published: boolean
  readonly spentCredit?: boolean
  readonly tookUnseen: boolean
  readonly left: Budget
}

/** A state's identity: what two worlds must share to have the same future. */
export function keyOf(w: World): string {
  const c = w.client
  const n = w.node
  return [
    w.now,
    c.state,
    c.pay ?? '',
    c.ending ?? '',
    c.answer ? 1 : 0,
    c.node ?? '',
    c.quote?.bolt11 ?? '',
    c.order?.hash ?? '',
    moments.findIndex(t => t >= c.nudgeAt),
    c.partsPaid,
    c.spentMsats,
    c.sealed ? 1 : 0,
    c.nextQuote?.bolt11 ?? '',
    c.barred.length,
    c.creditMsats ?? 0n,
    acts(w.clientActs),
    n
      ? [
          n.state,
          n.bill?.hash ?? '',
          n.closing ? 1 : 0,
          n.paid?.hash ?? '',
          n.answer ? 1 : 0,
          n.creditMsats,
          n.costMsats,
          n.part,
          n.held ? 1 : 0,
          n.soFar ? 1 : 0,
          n.settled.length,
          n.when,
        ].join()
      : '',
    acts(w.nodeActs),
    w.net.join(),
    w.bills.map(b => `${b.hash}${b.order}${b.debits}${b.closed ?? ''}`).join(),
    w.keptMsats,
    w.published ? 1 : 0,
    w.spentCredit ? 1 : 0,
    w.tookUnseen ? 1 : 0,
    w.reply ?? '',
    w.running ? 1 : 0,
    w.watching ? 1 : 0,
    w.said,
    w.withdrawn ? 1 : 0,
    w.runs,
    w.creditMsats,
    w.deliveredUnpaid ? 1 : 0,
    Object.values(w.left).join(''),
  ].join('|')
}

const acts = (list: readonly (ClientAct | NodeAct)[]): string =>
  list
    .map(
      a =>
        a.act +
        ('hash' in a ? a.hash : '') +
        ('order' in a ? a.order.hash : '') +
        ('msats' in a ? a.msats : '') +
        ('creditMsats' in a ? a.creditMsats : '') +
        ('status' in a ? a.status : ''),
    )
    .join(';')

/** Two parts of one. */
export const price = 2n
export const parts = 2
export const billSeconds = 60
/** The moments that matter: ask, nudge, bill run out, deadline past, long after. */
export const moments = [0, 21, 70, 130, 200, 400]
/** What an answer costs, and its withdrawn beginning, where the price is an upper bound. */
export const costOf = ({ metered }: Setting) => (metered ? { costMsats: 1n } : {})
export const answer = { text: 'a', model: 'm', promptTokens: 1, outputTokens: 1 }

/** The beginning: the request is signed and not yet published. */
export function begin(heart: Heart, setting: Setting): World {
  const { from = 0 } = setting
  const wish = setting.when === 'parts' ? { parts: partsOf(setting), from } : {}
  const ask = { id: 'job', capMsats: 5n, now: 0, ttlSeconds: 100, ...wish }
  const [client, clientActs] = heart.openClientJob(setting.open ? ask : { ...ask, node: 'N' })
  return {
    now: 0,
    client,
    clientActs,
    nodeActs: [],
    net: [],
    bills: [],
    running: false,
    watching: false,
    said: '',
    withdrawn: false,
    runs: 0,
    crashes: 0,
    creditMsats: 0,
    deliveredUnpaid: false,
    keptMsats: setting.when === 'credit' ? price : 0n,
    published: false,
    tookUnseen: false,
    left: setting.budget,
  }
}
