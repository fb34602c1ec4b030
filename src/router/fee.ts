/**
 * The router's own fee: a second invoice, to the router's own wallet and for nothing else. Money that comes is kept for its
 * payer first and used up when a request is answered, so that what comes late or twice pays for the next one.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Billed, Journal } from '../journal/journal.ts'
import { type CreditPolicy, creditLine } from '../ledger/credit-line.ts'
import type { Bill, BillState, Payee } from '../payments/payment.ts'

export interface Fee {
  readonly msats: bigint
  readonly payee: Payee
  /** Who may pay after the answer, and how much of it may be open. Default: whoever has paid before. */
  readonly line?: Partial<CreditPolicy>
}

export interface FeesOptions {
  readonly fee: Fee | undefined
  readonly journal: Journal
  readonly clock: Clock
  /** Unpaid invoices of one customer, and of all. */
  readonly billsPerCustomer: number
  readonly bills: number
  onPaid(paid: { readonly request: string; readonly asker: string; readonly msats: bigint }): void
  onTrouble(says: string): void
}

/** How a customer stands: `kept` money is there, a `line` of credit is free, it pays `first`, or it owes. */
export type Standing =
  | { readonly how: 'free' | 'kept' | 'line' | 'first' }
  | { readonly how: 'unpaid'; readonly code: 'unpaid-fee' | 'full'; readonly says: string }

/** A customer that could pay later, or had money here, no longer can. */
export class UnpaidError extends Error {
  override readonly name = 'UnpaidError'
}

export interface Fees {
  readonly msats: bigint
  standing(asker: string): Standing
  /** The invoice of a request, the same one each time; written down before it is told to anybody. Rejects with `PaymentError`. */
  bill(asked: Event, how: 'line' | 'first', lifeSeconds: number, signal: AbortSignal): Promise<Bill>
  /** Resolves with true when the customer has money here or a line, with false when `signal` fires first. */
  paid(asker: string, signal: AbortSignal): Promise<boolean>
  /**
   * Books the fee of an answered request, from kept money or by this bill, and says which; call inside the write that
   * keeps the answer. Throws `UnpaidError`.
   */
  use(asked: Event, bill: Bill | undefined): 'kept' | 'line'
  /** Waits for the money of a bill that `use` booked, once that was kept. */
  watch(bill: Bill): void
  stop(): void
}

const lateSeconds = 3_600
const retryMs = 20_000
const historyRows = 200

export function openFees(options: FeesOptions): Fees {
  const { fee, journal, clock, onTrouble } = options
  const { bills } = journal
  const msats = fee?.msats ?? 0n
  const stops = new Map<string, () => void>()
  const waiting = new Map<string, Set<() => void>>()
  const now = () => seconds(clock)
  let closed = false

  if (fee)
    for (const state of ['open', 'void', 'defaulted'] as const)
      for (const row of bills.list({ state, since: now() - 86_400, limit: options.bills }))
        if (row.expiresAt + lateSeconds > now()) watch(row)

  const isOpen = (row: Billed) => row.state === 'open'

  function standing(asker: string): Standing {
    if (!fee || msats === 0n) return { how: 'free' }
    if (bills.creditMsats(asker) >= msats) return { how: 'kept' }
    const rows = bills.list({ customer: asker, limit: historyRows })
    // A bill that is paid first is no credit while it is open.
    const line = creditLine(
      rows.filter(row => row.credit || row.state === 'paid'),
      { ...fee.line, now: now() },
    )
    if (line.freeMsats >= msats) return { how: 'line' }
    const owed = rows.filter(row => row.credit && isOpen(row))
    if (owed.length > 0) return { how: 'unpaid', code: 'unpaid-fee', says: owes(owed.length, line.openMsats) }
    const asked = rows.filter(isOpen).length
    if (asked >= options.billsPerCustomer)
      return { how: 'unpaid', code: 'unpaid-fee', says: `${asked} of your fees are not paid: ${paying}.` }
    return bills.list({ state: 'open', limit: options.bills }).length < options.bills
      ? { how: 'first' }
      : { how: 'unpaid', code: 'full', says: 'This router waits for the fees of many others: try again in a minute.' }
  }

  function settled(hash: string, state: Extract<BillState, { state: 'settled' }>) {
    stops.get(hash)?.()
    const row = bills.get(hash)
    if (!row || row.state === 'paid') return
    const { job = '', customer = '', credit } = row
    // What was delivered on credit is paid by this; everything else is the customer's until it is used.
    const kept = credit ? state.msats - row.msats : state.msats
    journal.atomically(() => {
      bills.end(hash, { state: 'paid', msats: state.msats, preimage: state.preimage, at: now() })
      if (kept > 0n) bills.credit({ id: `fee paid ${hash}`, customer, job, msats: kept, why: 'fee paid', at: now() })
    }, 'money')
    options.onPaid({ request: job, asker: customer, msats: state.msats })
    for (const wake of waiting.get(customer) ?? []) wake()
  }

  /** Waits for the money of one bill until an hour after it expired, and writes down that it did not come. */
  function watch({ hash, expiresAt }: Pick<Billed, 'hash' | 'expiresAt'>) {
    if (!fee || closed || stops.has(hash)) return
    const look = fee.payee.watch(hash, state => settled(hash, state))
    let cancel = clock.after(Math.max(0, expiresAt * 1_000 - clock.now()), expire)
    stops.set(hash, () => {
      look()
      cancel()
      stops.delete(hash)
    })
    function expire() {
      fee?.payee.billState(hash).then(
        state => {
          if (closed) return
          if (state.state === 'settled') return settled(hash, state)
          const row = bills.get(hash)
          if (row && isOpen(row)) bills.end(hash, { state: row.credit ? 'defaulted' : 'void', at: now() })
          cancel = clock.after(lateSeconds * 1_000, () => stops.get(hash)?.())
        },
        error => {
          if (closed) return
          onTrouble(`The wallet cannot be asked about a fee: ${String(error)}`)
          cancel = clock.after(retryMs, expire)
        },
      )
    }
  }

  return {
    msats,
    standing,
    async bill(asked, how, lifeSeconds, signal) {
      if (!fee) throw new Error('a router without a fee bills nobody')
      const description = `gridstr routing ${asked.id}`
      const ask = { key: `fee ${asked.id}`, msats, expirySeconds: lifeSeconds, description }
      const made = await fee.payee.bill(ask, signal)
      if (how === 'line') return made
      const { bolt11, hash, expiresAt } = made
      bills.add({ hash, job: asked.id, customer: asked.pubkey, purpose: 'job', bolt11, msats, at: now(), expiresAt })
      watch(made)
      return made
    },
    paid(asker, signal) {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const look = () => {
        if (standing(asker).how === 'kept') resolve(true)
      }
      const onAbort = () => resolve(false)
      const wakes = waiting.get(asker) ?? new Set()
      waiting.set(asker, wakes.add(look))
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
      look()
      return promise.finally(() => {
        signal.removeEventListener('abort', onAbort)
        wakes.delete(look)
        if (wakes.size === 0) waiting.delete(asker)
      })
    },
    use(asked, bill) {
      const { id: job, pubkey: customer } = asked
      const { how } = standing(customer)
      const row = { id: `fee used ${job}`, customer, job, msats: -msats, why: 'routing', at: now() }
      if (how === 'kept' && bills.credit(row)) return 'kept'
      if (how !== 'line' || !bill) throw new UnpaidError('the fee of this request is not paid')
      const { bolt11, hash, expiresAt } = bill
      bills.add({ hash, job, customer, purpose: 'job', bolt11, msats, at: now(), expiresAt, credit: true })
      return 'line'
    },
    watch,
    stop() {
      closed = true
      for (const stop of [...stops.values()]) stop()
    },
  }
}

const paying = 'pay one of them, or wait until they have expired'
const owes = (count: number, open: bigint): string =>
  `You owe ${open} msats for ${count} ${count === 1 ? 'route' : 'routes'}: pay that first.`
