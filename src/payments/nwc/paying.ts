/**
 * The payments of one connection: each hash once at a time, with its budget, and followed until the wallet says for sure
 * what became of it.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { PayOrder, PayState, Wallet } from '../payment.ts'
import type { Budget } from './budget.ts'

export interface PayingOptions {
  readonly wallet: Pick<Wallet, 'pay' | 'payState'>
  readonly clock: Clock
  readonly budget: Budget | undefined
  /** False once the service is closed: nothing is written any more, a restart asks anew. */
  live(): boolean
}

export interface Paying {
  /** Pays an order whose budget is reserved already. Ends as the wallet says, also in doubt; what is in doubt is followed. */
  pay(order: PayOrder): Promise<PayState>
  /** Asks the wallet with growing pauses until it is sure. A payment that it never heard of is sure, too. */
  follow(hash: string): Promise<PayState>
  /** Writes what the wallet said into the budget where it is sure; false while it is not. */
  note(hash: string, state: PayState): boolean
  close(): void
}

/** Pauses between two rounds of questions about payments in doubt. */
const FIRST_MS = 1_000
const MAX_MS = 60_000

/** Starts with nothing under way. */
export function openPaying({ wallet, clock, budget, live }: PayingOptions): Paying {
  const running = new Map<string, Promise<PayState>>()
  const followed = new Map<string, ((end: PayState) => void)[]>()
  let pauseMs = FIRST_MS
  let cancel = () => {}

  function note(hash: string, end: PayState): boolean {
    if (!isSure(end)) return false
    if (!live()) return true
    try {
      if (end.state === 'paid') budget?.settle(hash, end.feeMsats)
      else if (end.state === 'unproven') budget?.settle(hash, 0n)
      else budget?.release(hash)
      return true
    } catch {
      // It could not be kept: the reservation stays, and the wallet is asked again later.
      return false
    }
  }

  function follow(hash: string): Promise<PayState> {
    return new Promise(resolve => {
      const waiting = followed.get(hash)
      if (waiting) return void waiting.push(resolve)
      followed.set(hash, [resolve])
      pauseMs = FIRST_MS
      arm()
    })
  }

  function arm(): void {
    cancel()
    if (followed.size === 0 || !live()) return
    cancel = clock.after(pauseMs, () => void round())
    pauseMs = Math.min(MAX_MS, pauseMs * 2)
  }

  /** One after another: a wallet that is down is not flooded with questions. */
  async function round(): Promise<void> {
    for (const [hash, waiting] of [...followed]) {
      if (!live()) return
      // What runs tells its end itself.
      if (running.has(hash)) continue
      const end = await wallet.payState(hash)
      if (running.has(hash) || !note(hash, end)) continue
      followed.delete(hash)
      for (const resolve of waiting) resolve(end)
    }
    arm()
  }

  async function run(order: PayOrder): Promise<PayState> {
    const { hash } = order
    const end = await attempt(order)
    running.delete(hash)
    const waiting = followed.get(hash) ?? []
    if (note(hash, end)) {
      followed.delete(hash)
      for (const resolve of waiting) resolve(end)
    } else if (budget) void follow(hash)
    return end
  }

  /** The contract says that no wallet rejects; one that does has said nothing about money. */
  async function attempt(order: PayOrder): Promise<PayState> {
    try {
      return await wallet.pay(order)
    } catch {
      return { state: 'unknown', says: 'The wallet broke off.' }
    }
  }

  return {
    follow,
    note,
    pay(order) {
      const { hash } = order
      const known = running.get(hash)
      if (known) return known
      const state = run(order)
      running.set(hash, state)
      return state
    },
    close: () => cancel(),
  }
}

/** Nothing will change it any more. */
const isSure = ({ state }: PayState): boolean => state !== 'pending' && state !== 'unknown'
