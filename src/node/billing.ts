/**
 * The money of one job on the node's side: bills, held money, and asking the wallet until it is certain.
 * @module
 */
import { type Clock, pause, seconds } from '../clock.ts'
import type { NodeFact, NodeJob, Why } from '../job.ts'
import type { BillState, HoldPayee, Payee } from '../payments/payment.ts'

export interface BillingOptions {
  readonly payee?: Payee
  readonly holder?: HoldPayee
  readonly clock: Clock
  /** What an invoice is for, as payer, payee and the services behind their wallets read it. */
  readonly subject: string
  /** Seconds that an invoice lives. */
  readonly billSeconds: number
  /** Hash that the invoice commits to, once the customer's zap request is here; `undefined` when none came in time. */
  descriptionHash(): Promise<string | undefined>
  /** Payment hash of a hold bill: of our own preimage, or of the verifier's. */
  holdHash(): Promise<{ readonly ok: true; readonly hash: string } | { readonly ok: false; readonly why: Why }>
  /** The preimage of the hold bill, once we have it. */
  preimage(): string | undefined
  trouble(says: string): void
  readonly signal: AbortSignal
}

export interface Billing {
  bill(job: NodeJob, msats: bigint): Promise<NodeFact>
  /** Tells `paid` or `held`, whichever comes; a later watch ends the earlier one. */
  watch(job: NodeJob, hash: string, send: (fact: NodeFact) => void): void
  unwatch(): void
  /** Asks until the wallet answers: an unreachable wallet is no proof that nothing was paid. */
  ask(hash: string): Promise<NodeFact>
  /** Asks once, and tells `paid` where money came while nobody listened. Never rejects. */
  late(hash: string, send: (fact: NodeFact) => void): Promise<void>
  /** Takes held money; ends with `paid` or `unsettled` and nothing in between. */
  settle(hash: string): Promise<NodeFact>
  /** Gives held money back. `undefined` when that is certain; `paid` when it was settled after all. */
  release(hash: string): Promise<NodeFact | undefined>
}

const pauseMs = 2_000

export function openBilling(options: BillingOptions): Billing {
  const { payee, holder, clock, signal } = options
  const stops: (() => void)[] = []
  const unwatch = () => {
    for (const stop of stops.splice(0)) stop()
  }
  const settled = (hash: string, state: Extract<BillState, { state: 'settled' }>): NodeFact => ({
    fact: 'paid',
    paid: { hash, msats: state.msats, preimage: state.preimage },
  })
  const pausing = () => pause(clock, pauseMs, signal)

  /** The wallet's own word on a bill; asked again while it cannot be had. `undefined` once the node closes. */
  async function stateOf(hash: string): Promise<BillState | undefined> {
    while (!signal.aborted)
      try {
        return (await payee?.billState(hash, signal)) ?? { state: 'unknown' }
      } catch (error) {
        if (signal.aborted) break
        options.trouble(`The wallet cannot be asked about an invoice: ${text(error)}`)
        await pausing()
      }
    return undefined
  }

  async function holdBill(job: NodeJob, msats: bigint): Promise<NodeFact> {
    const found = await options.holdHash()
    if (!found.ok) return { fact: 'bill-failed', why: found.why }
    if (!holder) return { fact: 'bill-failed', why: noWallet }
    const descriptionHash = await options.descriptionHash()
    const subject = descriptionHash ? { descriptionHash } : { description: options.subject }
    const asked = { key: `${job.id}:hold`, msats, expirySeconds: options.billSeconds, hash: found.hash }
    return { fact: 'billed', bill: await holder.holdBill({ ...asked, ...subject }, signal) }
  }

  async function makeBill(job: NodeJob, msats: bigint): Promise<NodeFact> {
    if (!payee) return { fact: 'bill-failed', why: noWallet }
    if (job.when === 'hold' || job.when === 'escrow') return holdBill(job, msats)
    const key = job.parts > 1 ? `${job.id}:${job.part}` : job.id
    const asked = { key, msats, expirySeconds: options.billSeconds }
    // A zap request names the whole price: parts go without.
    const descriptionHash = job.parts > 1 ? undefined : await options.descriptionHash()
    if (descriptionHash)
      try {
        return { fact: 'billed', bill: await payee.bill({ ...asked, descriptionHash }) }
      } catch (error) {
        // Some wallets cannot commit to a hash: the customer then gets no receipt, but still an answer.
        options.trouble(`No invoice for a zap: ${text(error)}`)
      }
    const part = job.parts > 1 ? ` (part ${job.part} of ${job.parts})` : ''
    const description = `${options.subject}${part}`
    return { fact: 'billed', bill: await payee.bill({ ...asked, key: `${key}:plain`, description }) }
  }

  return {
    async bill(job, msats) {
      // Who has paid for earlier parts is not sent away because the wallet sleeps for a moment.
      while (job.settled.length > 0 && payee && !signal.aborted && seconds(clock) < job.deadline)
        try {
          return await makeBill(job, msats)
        } catch (error) {
          options.trouble(`No invoice for part ${job.part} yet: ${text(error)}`)
          await pausing()
        }
      return makeBill(job, msats)
    },
    watch(job, hash, send) {
      unwatch()
      if (!payee) return
      stops.push(payee.watch(hash, state => send(settled(hash, state))))
      if ((job.when === 'hold' || job.when === 'escrow') && !job.held && holder)
        stops.push(holder.watchHeld(hash, () => send({ fact: 'held', hash })))
    },
    unwatch,
    async ask(hash) {
      const state = await stateOf(hash)
      if (state?.state === 'settled') return settled(hash, state)
      return state?.state === 'held' ? { fact: 'held', hash } : { fact: 'unpaid' }
    },
    async late(hash, send) {
      const state = await payee?.billState(hash, signal).catch(() => undefined)
      if (state?.state === 'settled') send(settled(hash, state))
    },
    async settle(hash) {
      while (!signal.aborted) {
        const preimage = options.preimage()
        if (preimage === undefined || !holder) break
        try {
          return settled(hash, await holder.settle(preimage, signal))
        } catch (error) {
          if (signal.aborted) break
          const state = await stateOf(hash)
          if (state?.state === 'settled') return settled(hash, state)
          if (state && state.state !== 'held') break
          options.trouble(`Held money could not be taken yet: ${text(error)}`)
          await pausing()
        }
      }
      return { fact: 'unsettled', why: gone }
    },
    async release(hash) {
      while (!signal.aborted && holder)
        try {
          await holder.cancel(hash, signal)
          return undefined
        } catch (error) {
          if (signal.aborted) return undefined
          const state = await stateOf(hash)
          if (state?.state === 'settled') return settled(hash, state)
          if (state?.state !== 'held' && state?.state !== 'pending') return undefined
          options.trouble(`Held money could not be given back yet: ${text(error)}`)
          await pausing()
        }
      return undefined
    },
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const noWallet: Why = { code: 'no-wallet', says: 'This node has no wallet to be paid with.' }
const gone: Why = { code: 'unsettled', says: 'The money went back before the answer was paid for.' }
