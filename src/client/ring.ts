/**
 * Keys of one job each, held ready: the next few are listened for in one subscription that stands before they are used, so
 * that a job under a key of its own is on its way as soon as one under a standing key. None is derived from another. A relay
 * sees that the keys of one subscription are heard over one connection; nobody else does.
 * @module
 */
import { addressees } from '../../kinds/index.ts'
import type { Listening, Relays } from '../../relays/relay.ts'
import type { Keys } from '../keys.ts'
import { openSeal } from '../seal.ts'
import { answersTo, type Ear, earsOf, listenFor } from './hearing.ts'
import { aloneWith, deliver, type Identity } from './one-key.ts'

export interface Ring {
  /** A key that was never used, ready to ask. Where too many jobs are under way it has to listen for itself first. */
  take(): Identity
  close(): void
}

/** Keys in one subscription. */
export const ringKeys = 8
/** Subscriptions of keys, used ones included: relays allow few. */
export const ringBatches = 6

interface Batch {
  readonly listening: Listening
  readonly fresh: Identity[]
  /** Keys that ask now. */
  busy: number
}

export function openRing({ relays, keys }: { readonly relays: Relays; readonly keys: Keys }): Ring {
  let batches: Batch[] = []

  function open(): void {
    if (batches.length >= ringBatches) return
    /** What each key hears, once it asks. */
    const ears = new Map<string, Map<string, Ear>>()
    const seals = new Map<string, Identity['seal']>()
    const made = Array.from({ length: ringKeys }, () => {
      const secret = keys.newSecret()
      const pubkey = keys.publicKey(secret)
      const seal = openSeal({ keys, secret, cacheSize: 4 })
      const jobs = new Map<string, Ear>()
      ears.set(pubkey, jobs)
      seals.set(pubkey, seal)
      return { secret, pubkey, seal, jobs }
    })
    const listening = relays.listen(answersTo(made.map(({ pubkey }) => pubkey)), {
      onEvent(event) {
        for (const to of addressees(event)) {
          const jobs = ears.get(to)
          const seal = seals.get(to)
          if (jobs?.size && seal) deliver(keys, seal, jobs, event)
        }
      },
    })
    const fresh: Identity[] = []
    const batch: Batch = { listening, fresh, busy: 0 }
    for (const { jobs, ...key } of made) {
      const standing = { live: listening.live, hear: earsOf(jobs) }
      let dropped = false
      fresh.push({
        ...{ kind: 'one-job', ...key },
        hear: heard => listenFor(relays, heard, standing),
        drop() {
          if (dropped) return
          dropped = true
          batch.busy--
          sweep()
        },
      })
    }
    batches.push(batch)
  }

  /** Lets go of subscriptions whose keys have all been used. */
  function sweep(): void {
    batches = batches.filter(({ fresh, busy, listening }) => {
      const needed = fresh.length > 0 || busy > 0
      if (!needed) listening.close()
      return needed
    })
  }

  open()
  return {
    take() {
      const batch = batches.find(({ fresh }) => fresh.length > 0)
      const identity = batch?.fresh.shift()
      if (batch) batch.busy++
      // Opened while the last keys are used, so that nobody waits for it.
      if (batches.reduce((sum, { fresh }) => sum + fresh.length, 0) <= ringKeys / 2) open()
      return identity ?? aloneWith({ relays, keys }, keys.newSecret())
    },
    close() {
      for (const { listening } of batches) listening.close()
      batches = []
    },
  }
}
