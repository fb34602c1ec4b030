/**
 * One wallet of the simulated Lightning network.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import { type Invoice, nodeKeyOf, readInvoice } from './bolt11.ts'
import {
  type Bill,
  type BillAsk,
  type BillState,
  type Held,
  type HoldPayee,
  PaymentError,
  type PayOrder,
  type PayState,
  type Transaction,
  type WalletInfo,
} from './payment.ts'
import type { SimFaults, SimWallet } from './sim.ts'
import { simBills } from './sim-bills.ts'
import { type SimHoldPayee, simHold } from './sim-hold.ts'
import type { SimAccount, SimBill, SimHeld, SimLedger, SimPayment } from './sim-ledger.ts'
import { billStateOf, heldOf, incoming, outgoing } from './sim-rows.ts'
import { watchBill } from './watch.ts'

interface Parts {
  readonly ledger: SimLedger
  readonly clock: Clock
  readonly pollMs: number
  readonly account: SimAccount
  readonly seed: string
  readonly holds: boolean
  readonly faults: (own: Partial<SimFaults>) => SimFaults
  readonly finish: (payment: SimPayment, end: 'paid' | 'failed') => void
}

/** When the end of a payment whose answer was lost is not given by `delayMs`. */
const LOST_ANSWER_MS = 1_000
const METHODS = ['pay_invoice', 'make_invoice', 'lookup_invoice', 'list_transactions', 'get_balance', 'get_info']
const HOLD_METHODS = ['make_hold_invoice', 'settle_hold_invoice', 'cancel_hold_invoice']

export class SimMember implements SimWallet {
  faults: Partial<SimFaults> = {}
  readonly #parts: Parts
  readonly #listeners = new Set<(transaction: Transaction) => void>()
  readonly #watches = new Set<() => void>()
  readonly #waiting = new Map<SimPayment, Set<() => void>>()
  readonly #heldListeners = new Set<(held: Held) => void>()
  readonly #issue: ReturnType<typeof simBills>
  readonly #hold: SimHoldPayee
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#issue = simBills(parts)
    const { account, clock, finish, pollMs } = parts
    this.#hold = simHold({
      ...{ account, clock, finish, pollMs, bill: this.#issue, now: () => seconds(clock) },
      reach: signal => this.#reach(signal),
      onHeld: listener => {
        const own = (held: Held) => listener(held)
        this.#heldListeners.add(own)
        return () => void this.#heldListeners.delete(own)
      },
    })
  }

  async bill(
    { key, msats, expirySeconds, description, descriptionHash }: BillAsk,
    signal?: AbortSignal,
  ): Promise<Bill> {
    this.#reach(signal)
    const about = {
      ...(description === undefined ? {} : { description }),
      ...(descriptionHash === undefined ? {} : { descriptionHash }),
    }
    return this.#issue({ key, msats, expirySeconds, ...about })
  }

  async billState(hash: string, signal?: AbortSignal): Promise<BillState> {
    this.#reach(signal)
    const bill = this.#parts.account.bills.get(hash)
    return bill ? billStateOf(bill, seconds(this.#parts.clock)) : { state: 'unknown' }
  }

  async hold(signal?: AbortSignal): Promise<HoldPayee | undefined> {
    this.#reach(signal)
    return this.#parts.holds ? this.#hold : undefined
  }

  watch(hash: string, onSettled: (settled: Extract<BillState, { state: 'settled' }>) => void): () => void {
    const { clock, pollMs } = this.#parts
    const stop = watchBill({
      clock,
      pollMs,
      ask: () => this.billState(hash),
      listen: look =>
        this.onSettled(({ type, hash: settled }) => {
          if (type === 'incoming' && settled === hash) look()
        }),
      onSettled: settled => {
        this.#watches.delete(stop)
        onSettled(settled)
      },
    })
    this.#watches.add(stop)
    return () => {
      this.#watches.delete(stop)
      stop()
    }
  }

  async pay(order: PayOrder, signal?: AbortSignal): Promise<PayState> {
    const { account, clock, finish, ledger } = this.#parts
    const known = account.payments.get(order.hash)
    if (known && known.state !== 'failed') return this.#outcome(known, signal)
    if (this.#closed) return refused('OTHER', 'The wallet is closed.')
    if (signal?.aborted) return refused('OTHER', 'The payment was called off before it was sent.')
    const faults = this.#parts.faults(this.faults)
    if (faults.reach === 'down') return { state: 'unknown', says: 'The wallet does not answer.' }
    const read = readInvoice(order.bolt11)
    if (!read.ok) return refused('OTHER', `The wallet cannot read the invoice. ${read.says}`)
    const { invoice } = read
    if (invoice.hash !== order.hash || (invoice.msats !== undefined && invoice.msats !== order.msats))
      return refused('OTHER', 'The order names another hash or amount than its invoice.')
    const bill = ledger.bill(invoice.hash)
    const bare = {
      ...{ payer: account, hash: order.hash, bolt11: invoice.bolt11, msats: order.msats },
      ...{ createdAt: seconds(clock), expiresAt: invoice.expiresAt, withheld: faults.pay === 'unproven' },
    }
    const no = faults.pay === 'fail' ? refused('PAYMENT_FAILED', 'No route.') : this.#refusal(invoice, bill)
    if (no || !bill) {
      const { code, says } = no ?? refused('PAYMENT_FAILED', 'No route.')
      account.payments.set(order.hash, { ...bare, state: 'failed', code, says })
      return refused(code, says)
    }
    const held: SimHeld = { ...bare, bill, state: 'pending', code: '', says: '' }
    ledger.hold(held)
    const lost = faults.pay === 'unknown-then-paid' || faults.pay === 'unknown-then-failed'
    const end = faults.pay === 'unknown-then-failed' ? 'failed' : 'paid'
    const delayMs = lost ? faults.delayMs || LOST_ANSWER_MS : faults.delayMs
    if (faults.pay !== 'hang') {
      if (delayMs > 0) clock.after(delayMs, () => finish(held, end))
      else finish(held, end)
    }
    if (lost) return { state: 'unknown', says: 'The answer of the wallet was lost.' }
    return this.#outcome(held, signal)
  }

  async payState(hash: string, signal?: AbortSignal): Promise<PayState> {
    const { state, says } = this.#unreachable(signal)
    if (state) return { state: 'unknown', says }
    const payment = this.#parts.account.payments.get(hash)
    return payment ? this.#stateOf(payment) : { state: 'unsent' }
  }

  async balance(signal?: AbortSignal): Promise<bigint> {
    this.#reach(signal)
    return this.#parts.account.msats
  }

  async info(signal?: AbortSignal): Promise<WalletInfo> {
    this.#reach(signal)
    const { alias, secretKey } = this.#parts.account
    return {
      alias,
      nodeKey: nodeKeyOf(secretKey),
      network: 'regtest',
      methods: this.#parts.holds ? [...METHODS, ...HOLD_METHODS] : METHODS,
    }
  }

  async transaction(hash: string, signal?: AbortSignal): Promise<Transaction | undefined> {
    this.#reach(signal)
    const { account, clock } = this.#parts
    const bill = account.bills.get(hash)
    if (bill) return incoming(bill, seconds(clock))
    const payment = account.payments.get(hash)
    return payment && outgoing(payment)
  }

  async transactions(
    options: { limit?: number; offset?: number; unpaid?: boolean; type?: 'incoming' | 'outgoing' } = {},
  ): Promise<readonly Transaction[]> {
    this.#reach()
    const { limit = 20, offset = 0, unpaid = false, type } = options
    const { account, clock } = this.#parts
    const now = seconds(clock)
    const rows = [
      ...(type === 'outgoing' ? [] : [...account.bills.values()].map(bill => incoming(bill, now))),
      ...(type === 'incoming' ? [] : [...account.payments.values()].map(payment => outgoing(payment))),
    ].filter(row => unpaid || row.state === 'settled')
    // Rows of one second keep the order in which they came, newest first.
    return rows
      .reverse()
      .sort((a, b) => b.createdAt - a.createdAt)
      .slice(offset, offset + limit)
  }

  onSettled(listener: (transaction: Transaction) => void): () => void {
    const own = (transaction: Transaction) => listener(transaction)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#hold.stop()
    this.#heldListeners.clear()
    for (const stop of [...this.#watches]) stop()
    for (const wakes of [...this.#waiting.values()]) for (const wake of [...wakes]) wake()
    this.#listeners.clear()
  }

  /** The net tells every wallet of money that waits for a decision. */
  arrived({ bill }: SimPayment): void {
    const held = bill && heldOf(bill)
    if (!held || bill.payee !== this.#parts.account || this.#parts.faults(this.faults).notify === 'lost') return
    for (const listener of this.#heldListeners)
      queueMicrotask(() => {
        if (this.#heldListeners.has(listener)) listener(held)
      })
  }

  /** The net tells every wallet of the end of every payment. */
  ended(payment: SimPayment): void {
    for (const wake of [...(this.#waiting.get(payment) ?? [])]) wake()
    if (payment.state !== 'settled' || this.#parts.faults(this.faults).notify === 'lost') return
    const { account, clock } = this.#parts
    const news: Transaction[] = []
    if (payment.bill?.payee === account) news.push(incoming(payment.bill, seconds(clock)))
    if (payment.payer === account) news.push(outgoing(payment))
    for (const transaction of news)
      for (const listener of this.#listeners)
        queueMicrotask(() => {
          if (this.#listeners.has(listener)) listener(transaction)
        })
  }

  #refusal(invoice: Invoice, bill: SimBill | undefined): Refused | undefined {
    const { account, clock } = this.#parts
    if (invoice.network !== 'regtest') return refused('PAYMENT_FAILED', `This net is regtest, not ${invoice.network}.`)
    if (invoice.msats === undefined) return refused('PAYMENT_FAILED', 'The invoice names no amount.')
    if (seconds(clock) > invoice.expiresAt) return refused('PAYMENT_FAILED', 'The invoice expired: ask for a new one.')
    if (!bill || bill.bolt11 !== invoice.bolt11)
      return refused('PAYMENT_FAILED', 'No route: nobody here made this invoice.')
    if (bill.payee === account) return refused('PAYMENT_FAILED', 'A wallet does not pay itself.')
    if (bill.hold?.cancelled) return refused('PAYMENT_FAILED', 'The payee takes no money for this invoice any more.')
    if (bill.taken) return refused('PAYMENT_FAILED', 'Another payment for this invoice is under way or done.')
    if (account.msats < invoice.msats)
      return refused('INSUFFICIENT_BALANCE', `The wallet has ${account.msats} msats of ${invoice.msats}: top it up.`)
    return undefined
  }

  #stateOf(payment: SimPayment): PayState {
    if (payment.state === 'failed') return refused(payment.code, payment.says)
    if (payment.state === 'pending' || payment.bill?.preimage === undefined) return { state: 'pending' }
    if (payment.withheld) return { state: 'unproven', says: 'The wallet paid and shows no preimage.' }
    return { state: 'paid', preimage: payment.bill.preimage, feeMsats: 0n }
  }

  /** The end of a payment under way; `unknown` when the caller gives up or the wallet closes before. */
  async #outcome(payment: SimPayment, signal?: AbortSignal): Promise<PayState> {
    if (payment.state === 'pending' && !signal?.aborted && !this.#closed) {
      const wakes = this.#waiting.get(payment) ?? new Set()
      this.#waiting.set(payment, wakes)
      await new Promise<void>(resolve => {
        const wake = () => {
          wakes.delete(wake)
          if (wakes.size === 0) this.#waiting.delete(payment)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        wakes.add(wake)
        signal?.addEventListener('abort', wake)
      })
    }
    if (payment.state === 'pending') return { state: 'unknown', says: 'The payment is still under way.' }
    return this.#stateOf(payment)
  }

  #unreachable(signal?: AbortSignal): { state?: string; says: string } {
    if (this.#closed) return { state: 'closed', says: 'The wallet is closed.' }
    if (signal?.aborted) return { state: 'aborted', says: 'The question was called off.' }
    if (this.#parts.faults(this.faults).reach === 'down') return { state: 'down', says: 'The wallet does not answer.' }
    return { says: '' }
  }

  #reach(signal?: AbortSignal): void {
    const { state, says } = this.#unreachable(signal)
    if (state) throw new PaymentError('OTHER', says)
  }
}

type Refused = Extract<PayState, { state: 'failed' }>
const refused = (code: string, says: string): Refused => ({ state: 'failed', code, says })
