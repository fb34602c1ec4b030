/**
 * The billing half of an LDK wallet: what was asked for, what arrived, and what is held until somebody decides.
 * @module
 */
import { fromHex, isHash, proves, sha256Hex } from '../hash.ts'
import { type Bill, type BillAsk, type BillState, PaymentError, type Transaction } from '../payment.ts'
import type { Happening } from './happening.ts'
import type { History } from './history.ts'
import type { Held, HoldAsk } from './hold.ts'
import { makeInvoice } from './invoice.ts'
import type { LdkNet } from './net.ts'
import type { LightningNode } from './node.ts'

type Settled = Extract<BillState, { state: 'settled' }>

export interface Bills {
  /** Makes a bill, or gives again what was made for the same key and amount. Throws `PaymentError`. */
  issue(ask: BillAsk | HoldAsk): Bill
  state(hash: string): BillState
  hears(happening: Extract<Happening, { what: 'claimable' | 'claimed' | 'returned' }>): void
  held(): readonly Held[]
  isHeld(hash: string): boolean
  settle(preimage: string): Settled
  cancel(hash: string): void
  /** Lets go of what is known beside the history about a bill that left it. */
  forget(hash: string): void
}

/** Starts the billing half; `announce` is told every settled row, `accepted` everything that begins to be held. */
export function openBills(options: {
  net: LdkNet
  node: LightningNode
  history: History
  now: () => number
  announce: (row: Transaction | undefined) => void
  accepted: (held: Held) => void
}): Bills {
  const { net, node, history, now, announce, accepted } = options
  const { channelManager } = node
  const byKey = new Map<string, Bill>()
  const keys = new Map<string, string>()
  /** Bills whose hash is somebody else's, with the preimage once it was shown. */
  const foreign = new Map<string, { preimage?: string }>()
  const held = new Map<string, Held>()

  const state = (hash: string): BillState => {
    const row = history.get('incoming', hash)
    if (!row) return { state: 'unknown' }
    if (row.state !== 'settled') return { state: row.state }
    if (row.preimage === undefined || row.settledAt === undefined) return { state: 'unknown' }
    return { state: 'settled', msats: row.msats, preimage: row.preimage, at: row.settledAt }
  }

  const arrives = (happening: Extract<Happening, { what: 'claimable' }>): void => {
    const { hash, hashBytes, msats, preimage, deadline } = happening
    const is = history.get('incoming', hash)?.state
    // LDK keeps no list of invoices and would take the same one twice: a settled bill is not paid again.
    const open = is === 'pending' || is === 'expired'
    if (open && foreign.has(hash)) {
      const money: Held = { hash, msats, settleDeadline: deadline ?? net.chain.height }
      held.set(hash, money)
      accepted(money)
    } else if (open && preimage !== undefined) channelManager.claim_funds(fromHex(preimage))
    else channelManager.fail_htlc_backwards(hashBytes)
  }

  return {
    state,
    issue(ask) {
      const { msats, description, descriptionHash } = ask
      const key = `${msats} ${ask.key}`
      const old = byKey.get(key)
      const paymentHash = 'hash' in ask ? ask.hash : undefined
      if (old && (paymentHash === undefined || old.hash === paymentHash)) return old
      if (paymentHash !== undefined && (old || history.get('incoming', paymentHash)))
        throw new PaymentError('OTHER', 'this key or this hash already has another bill: use new ones')
      // LDK knows no time but that of blocks, and writes it into the invoice.
      net.chain.stamp()
      const made = makeInvoice(node, ask, paymentHash, 'hash' in ask ? ask.minFinalCltvDelta : undefined)
      const { bolt11, hash, expiresAt } = made
      history.add({
        type: 'incoming',
        state: 'pending',
        feeMsats: 0n,
        msats,
        ...made,
        ...(description !== undefined && { description }),
        ...(descriptionHash !== undefined && { descriptionHash }),
      })
      const bill: Bill = { bolt11, hash, msats, expiresAt }
      byKey.set(key, bill)
      keys.set(hash, key)
      if (paymentHash !== undefined) foreign.set(hash, {})
      return bill
    },
    hears(happening) {
      const { hash } = happening
      if (happening.what === 'claimable') arrives(happening)
      else if (happening.what === 'claimed') {
        const preimage = happening.preimage ?? foreign.get(hash)?.preimage
        held.delete(hash)
        const settled = { state: 'settled', msats: happening.msats, settledAt: now() } as const
        announce(history.change('incoming', hash, { ...settled, ...(preimage !== undefined && { preimage }) }))
      } else held.delete(hash)
    },
    held: () => [...held.values()],
    isHeld: hash => held.has(hash),
    settle(preimage) {
      const hash = isHash(preimage) ? sha256Hex(fromHex(preimage)) : ''
      const before = state(hash)
      if (before.state === 'settled') return before
      const bill = foreign.get(hash)
      if (!bill || !held.has(hash) || !proves(preimage, hash))
        throw new PaymentError('OTHER', 'no money is held for this preimage: it has not come or went back')
      bill.preimage = preimage
      channelManager.claim_funds(fromHex(preimage))
      net.pump()
      // A claim after the deadline is silent: only the event that LDK has claimed is worth anything.
      const after = state(hash)
      if (after.state === 'settled') return after
      throw new PaymentError('OTHER', 'the money went back before it was settled')
    },
    cancel(hash) {
      const row = foreign.has(hash) ? history.get('incoming', hash) : undefined
      if (!row) throw new PaymentError('NOT_FOUND', 'no hold bill has this hash')
      if (row.state === 'settled') throw new PaymentError('OTHER', 'this bill is settled: send the money back instead')
      history.change('incoming', hash, { state: 'failed' })
      held.delete(hash)
      channelManager.fail_htlc_backwards(fromHex(hash))
      net.pump()
    },
    forget(hash) {
      byKey.delete(keys.get(hash) ?? '')
      keys.delete(hash)
      foreign.delete(hash)
    },
  }
}
