/**
 * Getting kept money back: a node that holds money of ours which bought nothing is sent an invoice of ours for it
 * (kind 4637, in a wrap), again and again until it is paid or nobody wants to wait.
 * @module
 */
import { creditClaim } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { fromHex, toHex } from '../hash.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Payee } from '../payments/payment.ts'
import { wrapEvent } from '../seal.ts'

export interface Claim {
  readonly job: string
  readonly node: string
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
  /** True when the money is back. False when `signal` fired before: the claim is kept, and made again by `open`. */
  claim(claim: Claim, signal: AbortSignal): Promise<boolean>
  /** Claims that an earlier process left open. */
  open(): readonly Claim[]
}

const repeatMs = 15_000
/** An invoice of ours for a refund may be paid for an hour. */
const billSeconds = 3_600

export function openClaims({ relays, keys, clock, journal, payee }: ClaimsOptions): Claims {
  const shelf = journal.shelf('claims')
  return {
    async claim({ job, node, msats, secret }, signal) {
      shelf.claim(job, { node, msats, secret: toHex(secret) })
      const made = await payee.bill(
        { key: `refund:${job}`, msats, expirySeconds: billSeconds, description: `refund of gridstr job ${job}` },
        signal,
      )
      const { hash, bolt11, expiresAt } = made
      const about = { hash, bolt11, msats, expiresAt, job, customer: node, purpose: 'refund' as const }
      journal.bills.add({ ...about, at: seconds(clock) })
      const send = () => {
        const now = seconds(clock)
        const claim = keys.sign(creditClaim.write({ job, node, bolt11 }, now), secret)
        void relays.publish(wrapEvent(keys, claim, node, now), { want: 1, keepMs: repeatMs })
      }
      return new Promise<boolean>(resolve => {
        let cancel = () => {}
        const end = (paid: boolean) => {
          cancel()
          stop()
          signal.removeEventListener('abort', giveUp)
          resolve(paid)
        }
        const giveUp = () => end(false)
        const stop = payee.watch(hash, ({ msats: came, preimage }) => {
          journal.bills.end(hash, { state: 'paid', msats: came, preimage, at: seconds(clock) })
          shelf.delete(job)
          end(true)
        })
        const again = () => {
          send()
          cancel = clock.after(repeatMs, again)
        }
        signal.addEventListener('abort', giveUp, { once: true })
        if (signal.aborted) giveUp()
        else again()
      })
    },
    open() {
      const claims: Claim[] = []
      for (const [job, kept] of shelf.entries()) {
        const { node, msats, secret } = kept as { node?: unknown; msats?: unknown; secret?: unknown }
        if (typeof node === 'string' && typeof msats === 'bigint' && typeof secret === 'string')
          claims.push({ job, node, msats, secret: fromHex(secret) })
      }
      return claims
    },
  }
}
