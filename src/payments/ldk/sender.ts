/**
 * The paying half of an LDK wallet: one payment per hash, and an honest word about each.
 * @module
 */
import { proves } from '../hash.ts'
import { PaymentError, type PayOrder, type PayState } from '../payment.ts'
import type { Happening } from './happening.ts'
import type { Entry, History } from './history.ts'
import { checkOrder, fateOf, send } from './invoice.ts'
import type { LdkNet } from './net.ts'
import type { LightningNode } from './node.ts'

export interface Sender {
  /** `Payer.pay`. */
  pay(order: PayOrder, signal?: AbortSignal): Promise<PayState>
  /** `Payer.payState`, at once. */
  state(hash: string): PayState
  hears(happening: Extract<Happening, { what: 'sent' | 'failed' }>): void
  /** After a start: hears what LDK has not told yet, and ends what LDK does not know. */
  resume(): void
  /** Ends every wait with `unknown`. */
  close(): void
}

/**
 * Payments between two breaths. What LDK lends to JavaScript is given back by finalizers, which run only between tasks:
 * a loop of payments that never left its task would fill memory and drown in garbage collection.
 */
const BREATH = 8
const breathe = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

/**
 * Payments between two extra ticks. LDK keeps an ended payment for seven ticks of a minute, and writes all of them down
 * with every change; rows of this wallet remember longer.
 */
const TICK = 8

/** Starts the paying half; `announce` is told every settled row, `sure` tells whether a row is as it was kept. */
export function openSender(options: {
  net: LdkNet
  node: LightningNode
  history: History
  now: () => number
  announce: (row: Entry) => void
  sure: (type: Entry['type'], hash: string) => boolean
}): Sender {
  const { net, node, history, now, announce, sure } = options
  const waits = new Map<string, Set<(state: PayState) => void>>()
  let closed = false
  let sent = 0
  let ended = 0

  const state = (hash: string): PayState => {
    const row = history.get('outgoing', hash)
    if (!sure('outgoing', hash)) return unknown('what became of the payment could not be kept: ask after a restart')
    if (!row) return closed ? unknown('the wallet is closed') : { state: 'unsent' }
    if (row.state === 'settled') return proven(row)
    if (row.state === 'failed') return { state: 'failed', ...(row.failure ?? FAILED) }
    return closed || net.broken ? unknown('the wallet stopped while the payment was on its way') : { state: 'pending' }
  }

  const tell = (hash: string): void => {
    const all = waits.get(hash)
    waits.delete(hash)
    for (const resolve of all ?? []) resolve(state(hash))
  }

  const fail = (hash: string, code: string, says: string): PayState => {
    history.change('outgoing', hash, { state: 'failed', failure: { code, says } })
    return { state: 'failed', code, says }
  }

  const wait = (hash: string, signal?: AbortSignal): Promise<PayState> =>
    new Promise(resolve => {
      const settle = (outcome: PayState): void => {
        signal?.removeEventListener('abort', abort)
        resolve(outcome)
      }
      const abort = (): void => {
        waits.get(hash)?.delete(settle)
        settle(unknown('nobody waits any more, the payment is still on its way'))
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      waits.set(hash, (waits.get(hash) ?? new Set()).add(settle))
    })

  const tellAll = (): void => {
    for (const hash of [...waits.keys()]) tell(hash)
  }
  const unlisten = net.onBroken(tellAll)

  const start = (order: PayOrder): PayState => {
    const { hash, msats } = order
    const check = checkOrder(order)
    if (!check.ok) return { state: 'failed', code: 'OTHER', says: check.says }
    const { bolt11, expiresAt, description, descriptionHash } = check.invoice
    try {
      history.add({
        type: 'outgoing',
        state: 'pending',
        hash,
        bolt11,
        msats,
        feeMsats: 0n,
        createdAt: now(),
        expiresAt,
        ...(description !== undefined && { description }),
        ...(descriptionHash !== undefined && { descriptionHash }),
      })
    } catch (error) {
      if (error instanceof PaymentError) return { state: 'failed', code: error.code, says: error.message }
      throw error
    }
    if (expiresAt < now()) return fail(hash, 'PAYMENT_FAILED', 'the invoice has expired: ask for a new one')
    const spendable = node.channels().reduce((sum, channel) => sum + channel.outboundMsats, 0n)
    if (spendable < msats) return fail(hash, 'INSUFFICIENT_BALANCE', `${spendable} msats can be sent, not ${msats}`)
    try {
      // LDK knows a payment that this wallet has forgotten: it goes on, or is over already.
      if (send(node, check.invoice.bolt11) === 'duplicate' && fateOf(node, hash) === 'fulfilled') {
        const row = history.change('outgoing', hash, { state: 'settled', settledAt: now() })
        if (row) announce(row)
      }
    } catch (error) {
      if (error instanceof PaymentError) return fail(hash, error.code, error.message)
      throw error
    }
    net.pump()
    return state(hash)
  }

  return {
    state,
    async pay(order, signal) {
      const before = state(order.hash)
      try {
        if (!history.get('outgoing', order.hash) || before.state === 'failed') {
          if (closed) return { state: 'failed', code: 'OTHER', says: `the wallet ${node.alias} is closed` }
          if (net.broken) return { state: 'failed', code: net.broken.code, says: net.broken.message }
          if (signal?.aborted) return { state: 'failed', code: 'OTHER', says: 'called off before anything was sent' }
          const outcome = net.run(() => start(order))
          const end = outcome.state === 'pending' ? await wait(order.hash, signal) : outcome
          if (++sent % BREATH === 0) await breathe()
          return end
        }
        return before.state === 'pending' ? await wait(order.hash, signal) : before
      } catch (error) {
        return unknown(error instanceof Error ? error.message : String(error))
      }
    },
    resume() {
      const open = [...history.rows()].filter(({ type, state }) => type === 'outgoing' && state === 'pending')
      if (open.length === 0) return
      while (node.work());
      for (const { hash } of open)
        if (history.get('outgoing', hash)?.state === 'pending' && fateOf(node, hash) === undefined)
          fail(hash, 'PAYMENT_FAILED', 'it was never sent')
    },
    hears(happening) {
      const { hash } = happening
      const before = history.get('outgoing', hash)
      // LDK may tell it again after a restart.
      if (!before || (before.state === 'settled' && before.preimage !== undefined)) return
      if (happening.what === 'failed') {
        if (before.state === 'pending') fail(hash, 'PAYMENT_FAILED', `the payment came back: ${happening.reason}`)
      } else {
        const { preimage, feeMsats } = happening
        const row = history.change('outgoing', hash, { state: 'settled', settledAt: now(), preimage, feeMsats })
        if (row) announce(row)
        if (++ended % TICK === 0) node.channelManager.timer_tick_occurred()
      }
      net.after(() => tell(hash))
    },
    close() {
      closed = true
      unlisten()
      tellAll()
    },
  }
}

const FAILED = { code: 'PAYMENT_FAILED', says: 'the payment came back' }

const unknown = (says: string): PayState => ({ state: 'unknown', says })

function proven(row: Entry): PayState {
  const { preimage, feeMsats, hash } = row
  if (preimage !== undefined && proves(preimage, hash)) return { state: 'paid', preimage, feeMsats }
  return { state: 'unproven', says: 'settled without a preimage that fits the hash' }
}
