/**
 * The billing half of an LDK wallet: what was asked for, what arrived, and what is held until somebody decides.
 * @module
 */
import { fromHex, isHash, proves, sha256Hex } from '../hash.ts'
import { type Bill, type BillAsk, type BillState, type HoldAsk, PaymentError } from '../payment.ts'
import type { Happening } from './happening.ts'
import type { Entry, History } from './history.ts'
import { makeInvoice } from './invoice.ts'
import type { LdkNet } from './net.ts'
import type { LightningNode } from './node.ts'

type Settled = Extract<BillState, { state: 'settled' }>

export interface Bills {
  /** Makes a bill, or gives again what was made for the same key and amount. Throws `PaymentError`. */
  issue(ask: BillAsk | HoldAsk): Bill
  state(hash: string): BillState
  hears(happening: Extract<Happening, { what: 'claimable' | 'claimed' | 'returned' }>): void
  settle(preimage: string): Settled
  cancel(hash: string): void
}

/** Starts the billing half; `announce` is told every row that was settled or began to be held. */
export function openBills(options: {
  net: LdkNet
  node: LightningNode
  history: History
  now: () => number
  announce: (row: Entry) => void
}): Bills {
  const { net, node, history, now, announce } = options
  const { channelManager } = node

  const state = (hash: string): BillState => {
    const row = history.get('incoming', hash)
    if (!row) return { state: 'unknown' }
    if (row.held) return { state: 'held', ...row.held }
    if (row.state !== 'settled') return { state: row.state }
    if (row.preimage === undefined || row.settledAt === undefined) return { state: 'unknown' }
    return { state: 'settled', msats: row.msats, preimage: row.preimage, at: row.settledAt }
  }

  const arrives = (happening: Extract<Happening, { what: 'claimable' }>): void => {
    const { hash, hashBytes, msats, preimage, deadline } = happening
    const row = history.get('incoming', hash)
    // LDK keeps no list of invoices and would take the same one twice: a settled bill is not paid again.
    const open = row?.state === 'pending' || row?.state === 'expired'
    if (open && row.hold) {
      const held = { msats, ...(deadline !== undefined && { settleDeadline: deadline }) }
      const next = history.change('incoming', hash, { held })
      // LDK may tell it again after a restart.
      if (next && !row.held) announce(next)
    } else if (open && preimage !== undefined) channelManager.claim_funds(fromHex(preimage))
    else channelManager.fail_htlc_backwards(hashBytes)
  }

  return {
    state,
    issue(ask) {
      const { msats, description, descriptionHash } = ask
      const key = `${msats} ${ask.key}`
      const old = history.billOf(key)
      const paymentHash = 'hash' in ask ? ask.hash : undefined
      if (old && (paymentHash === undefined || old.hash === paymentHash)) return billOf(old)
      if (paymentHash !== undefined && (old || history.get('incoming', paymentHash)))
        throw new PaymentError('OTHER', 'this key or this hash already has another bill: use new ones')
      // LDK knows no time but that of blocks, and writes it into the invoice.
      net.chain.stamp()
      const row: Entry = {
        type: 'incoming',
        state: 'pending',
        feeMsats: 0n,
        msats,
        key,
        ...makeInvoice(node, ask, paymentHash, 'hash' in ask ? ask.minFinalCltvDelta : undefined),
        ...(description !== undefined && { description }),
        ...(descriptionHash !== undefined && { descriptionHash }),
        ...(paymentHash !== undefined && { hold: true }),
      }
      history.add(row)
      return billOf(row)
    },
    hears(happening) {
      const { hash } = happening
      const row = history.get('incoming', hash)
      if (happening.what === 'claimable') arrives(happening)
      else if (happening.what === 'returned') {
        if (row?.held) history.change('incoming', hash, { held: undefined })
      } else if (row && row.state !== 'settled') {
        const preimage = happening.preimage ?? row.shown
        const settled = { state: 'settled', msats: happening.msats, settledAt: now(), held: undefined } as const
        const next = history.change('incoming', hash, { ...settled, ...(preimage !== undefined && { preimage }) })
        if (next) announce(next)
      }
    },
    settle(preimage) {
      const hash = isHash(preimage) ? sha256Hex(fromHex(preimage)) : ''
      const before = state(hash)
      if (before.state === 'settled') return before
      if (before.state !== 'held' || !proves(preimage, hash))
        throw new PaymentError('OTHER', 'no money is held for this preimage: it has not come or went back')
      history.change('incoming', hash, { shown: preimage })
      channelManager.claim_funds(fromHex(preimage))
      net.pump()
      // A claim after the deadline is silent: only the event that LDK has claimed is worth anything.
      const after = state(hash)
      if (after.state === 'settled') return after
      throw new PaymentError('OTHER', 'the money went back before it was settled')
    },
    cancel(hash) {
      const row = history.get('incoming', hash)
      if (!row?.hold) throw new PaymentError('NOT_FOUND', 'no hold bill has this hash')
      if (row.state === 'settled') throw new PaymentError('OTHER', 'this bill is settled: send the money back instead')
      if (row.state === 'failed') return
      history.change('incoming', hash, { state: 'failed', held: undefined })
      channelManager.fail_htlc_backwards(fromHex(hash))
      net.pump()
    },
  }
}

const billOf = ({ bolt11, hash, msats, expiresAt }: Entry): Bill => ({ bolt11, hash, msats, expiresAt })
