/**
 * Getting kept money back: a node that holds money of ours which bought nothing is sent an invoice of ours for it
 * (kind 4637, in a wrap), again and again until it is paid, the node says that it keeps less, or nobody wants to wait.
 * @module
 */
import { addressedTo, creditClaim, ephemeralWrap, feedback, leftOfCredit } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { fromHex, toHex } from '../hash.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Bill, Payee } from '../payments/payment.ts'
import { openSeal, wrapEvent } from '../seal.ts'
import { unwrap } from './hearing.ts'

export interface Claim {
  readonly job: string
  readonly node: string
  /** Believed at most: what was paid. */
  readonly msats: bigint
  /** Signed the job. */
  readonly secret: Uint8Array
}

export interface ClaimsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly journal: Journal
  readonly payee: Payee
}

export interface Claims {
  /**
   * What came back: all of it or, where the node keeps less, that. 0 where it keeps nothing any more. `undefined` when
   * `signal` fired before: the claim is in the journal, and made again by `open`. It is written before this returns.
   */
  claim(claim: Claim, signal: AbortSignal): Promise<bigint | undefined>
  /** Claims that nobody makes now. */
  open(): readonly Claim[]
}

const repeatMs = 15_000
const earMs = 2_000
/** How far a node's clock may be behind ours. */
const skewSeconds = 600
/** An invoice of ours for a refund may be paid for an hour. */
const billSeconds = 3_600
/** What is shorter than this before its expiry is not sent any more. */
const leastSeconds = 60
/** Invoices that are made for one claim, one after another, at most; each may be paid late. */
const mostBills = 64
/** A claim that is open for so long is given up. */
const keptSeconds = 30 * 86_400

interface Kept extends Claim {
  /** Invoices that were made for it. */
  readonly bills: number
  readonly at: number
}

export function openClaims({ relays, keys, clock, journal, payee }: ClaimsOptions): Claims {
  const shelf = journal.shelf('claims')
  const running = new Map<string, Promise<bigint | undefined>>()

  const write = ({ job, node, msats, secret, bills, at }: Kept) =>
    shelf.set(job, { node, msats, secret: toHex(secret), bills, at })

  /** An invoice that can be paid; what came for an earlier one, late, comes instead. */
  async function billOf(claim: Kept, signal: AbortSignal): Promise<{ bill: Bill; paid?: bigint }> {
    const { job, msats } = claim
    for (let at = Math.max(0, claim.bills - 1); ; at++) {
      const key = at === 0 ? `refund:${job}` : `refund:${job}:${at}`
      const about = { key, msats, expirySeconds: billSeconds, description: `refund of gridstr job ${job}` }
      const bill = await payee.bill(about, signal)
      if (at + 1 > claim.bills) write({ ...claim, bills: at + 1 })
      const { hash, bolt11, expiresAt } = bill
      const row = { hash, bolt11, msats, expiresAt, job, customer: claim.node, purpose: 'refund' as const }
      journal.bills.add({ ...row, at: seconds(clock) })
      if (expiresAt - seconds(clock) >= leastSeconds || at + 1 >= mostBills) return { bill }
      const said = await payee.billState(hash, signal)
      if (said.state === 'settled') return { bill, paid: came(hash, said) }
    }
  }

  function came(hash: string, { msats, preimage }: { msats: bigint; preimage: string }): bigint {
    journal.bills.end(hash, { state: 'paid', msats, preimage, at: seconds(clock) })
    return msats
  }

  /** Asks for one amount: what came, `left` where the node keeps less, or `undefined` when nobody waits any more. */
  async function once(claim: Kept, signal: AbortSignal): Promise<{ paid: bigint } | { left: bigint } | undefined> {
    const { job, node, secret, msats } = claim
    const { bill, paid } = await billOf(claim, signal)
    if (paid !== undefined) return { paid }
    const { hash, bolt11 } = bill
    const pubkey = keys.publicKey(secret)
    const seal = openSeal({ keys, secret, cacheSize: 4 })
    return new Promise(resolve => {
      let cancel = () => {}
      let ended = false
      const end = (found: { paid: bigint } | { left: bigint } | undefined) => {
        ended = true
        cancel()
        stop()
        answers.close()
        signal.removeEventListener('abort', giveUp)
        resolve(found)
      }
      const giveUp = () => end(undefined)
      const answers = relays.listen(
        [addressedTo([pubkey], [ephemeralWrap.number], { since: seconds(clock) - skewSeconds })],
        {
          onEvent(wrap) {
            const event = unwrap(keys, seal, wrap)
            if (event?.kind !== feedback.number || event.pubkey !== node) return
            const read = feedback.read(event)
            if (!read.ok || read.value.job !== job || read.value.code !== leftOfCredit) return
            const { creditMsats: left } = read.value
            if (left !== undefined && left < msats) end({ left })
          },
        },
      )
      const stop = payee.watch(hash, settled => end({ paid: came(hash, settled) }))
      let sent = false
      const send = () => {
        sent = true
        const now = seconds(clock)
        const said = keys.sign(creditClaim.write({ job, node, bolt11 }, now), secret)
        void relays.publish(wrapEvent(keys, said, node, now), { want: 1, keepMs: repeatMs })
      }
      const again = () => {
        cancel()
        send()
        cancel = clock.after(repeatMs, again)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      if (signal.aborted) giveUp()
      else {
        // Its answer may be lost where the claim was sooner than the ear; where no relay is there it is later.
        cancel = clock.after(earMs, again)
        void answers.live.then(() => ended || sent || again())
      }
    })
  }

  function* kept(): Generator<Kept> {
    for (const [job, row] of shelf.entries()) {
      const { node, msats, secret, bills, at } = row as Partial<Record<string, unknown>>
      if (typeof node !== 'string' || typeof msats !== 'bigint' || typeof secret !== 'string') continue
      const more = { bills: typeof bills === 'number' ? bills : 0, at: typeof at === 'number' ? at : seconds(clock) }
      yield { job, node, msats, secret: fromHex(secret), ...more }
    }
  }

  async function make(first: Kept, signal: AbortSignal): Promise<bigint | undefined> {
    for (let claim = first; ; ) {
      const found = signal.aborted ? undefined : await once(claim, signal)
      if (found === undefined) return undefined
      if ('left' in found && found.left > 0n) {
        claim = { ...claim, msats: found.left }
        write(claim)
        continue
      }
      shelf.delete(claim.job)
      const back = 'paid' in found ? found.paid : 0n
      // Who sends more than was asked for does not make our books wrong.
      return back < claim.msats ? back : claim.msats
    }
  }

  return {
    claim(claim, signal) {
      const { job } = claim
      const under = running.get(job)
      if (under) return under
      if (!shelf.get(job)) write({ ...claim, bills: 0, at: seconds(clock) })
      const open = [...kept()].find(one => one.job === job)
      if (!open) return Promise.resolve(undefined)
      const made = make(open, signal).finally(() => running.delete(job))
      running.set(job, made)
      return made
    },
    open() {
      const all = [...kept()]
      const old = all.filter(({ at }) => at < seconds(clock) - keptSeconds)
      for (const { job } of old) shelf.delete(job)
      return all.filter(one => !running.has(one.job) && !old.includes(one))
    },
  }
}
