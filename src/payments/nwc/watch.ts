/**
 * Watching invoices of a NIP-47 wallet: its notifications are the fast way, asking it with growing pauses the sure one.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { BillState, Held, HoldPayee, Payee } from '../payment.ts'

type Settled = Extract<BillState, { state: 'settled' }>

export interface WatchOptions {
  readonly clock: Clock
  /** Pause before the first question; each later one is half as long again, up to `maxMs`. */
  readonly firstMs: number
  readonly maxMs: number
  state(hash: string): Promise<BillState>
}

export interface Watches {
  readonly watch: Payee['watch']
  readonly watchHeld: HoldPayee['watchHeld']
  /** The invoice is settled: tells everyone who watches it. */
  tell(hash: string, settled: Settled): void
  /** Money for a hold invoice has arrived: tells everyone who waits for that. */
  tellHeld(held: Held): void
  /** Something was heard about the invoice: ask now. */
  nudge(hash: string): void
  close(): void
}

interface Entry {
  readonly listeners: Set<{ run: (settled: Settled) => void }>
  readonly heldListeners: Set<{ run: (held: Held) => void }>
  delayMs: number
  asking: boolean
  cancel: () => void
}

/** Wallets that allow 60 requests a minute drop the rest unsaid, so few questions are open at one time. */
const MAX_ASKING = 4
const MAX_WATCHED = 10_000

/** Starts with nothing watched. */
export function nwcWatches(options: WatchOptions): Watches {
  const { clock, firstMs, maxMs } = options
  const entries = new Map<string, Entry>()
  let asking = 0

  function arm(hash: string, entry: Entry): void {
    entry.cancel()
    entry.cancel = clock.after(entry.delayMs, () => void ask(hash, entry))
  }

  async function ask(hash: string, entry: Entry): Promise<void> {
    if (entries.get(hash) !== entry || entry.asking) return
    if (asking >= MAX_ASKING) return arm(hash, entry)
    entry.asking = true
    asking++
    const state = await options.state(hash).catch(() => undefined)
    entry.asking = false
    asking--
    if (entries.get(hash) !== entry) return
    if (state?.state === 'settled') return tell(hash, state)
    if (state?.state === 'held') {
      const { state: _, ...money } = state
      tellHeld({ hash, ...money })
      if (entries.get(hash) !== entry) return
    }
    entry.delayMs = Math.min(maxMs, Math.ceil(entry.delayMs * 1.5))
    arm(hash, entry)
  }

  function tell(hash: string, settled: Settled): void {
    const entry = entries.get(hash)
    if (!entry) return
    drop(hash, entry)
    entry.heldListeners.clear()
    run(entry.listeners, settled)
  }

  function tellHeld(held: Held): void {
    const entry = entries.get(held.hash)
    if (!entry) return
    run(entry.heldListeners, held)
    if (entry.listeners.size === 0) drop(held.hash, entry)
  }

  function drop(hash: string, entry: Entry): void {
    if (entries.get(hash) !== entry) return
    entries.delete(hash)
    entry.cancel()
  }

  /** Adds a listener to the entry of a hash; returns the way to take it out. */
  function join<T>(hash: string, of: (entry: Entry) => Set<{ run: T }>, onNews: T): () => void {
    let entry = entries.get(hash)
    if (!entry) {
      if (entries.size >= MAX_WATCHED)
        throw new Error(`${MAX_WATCHED} invoices are watched already: stop the watches of jobs that ended.`)
      entry = { listeners: new Set(), heldListeners: new Set(), delayMs: firstMs, asking: false, cancel: () => {} }
      entries.set(hash, entry)
      arm(hash, entry)
    }
    const mine = entry
    const listener = { run: onNews }
    of(mine).add(listener)
    return () => {
      of(mine).delete(listener)
      if (mine.listeners.size + mine.heldListeners.size === 0) drop(hash, mine)
    }
  }

  return {
    watch: (hash, onSettled) => join(hash, entry => entry.listeners, onSettled),
    watchHeld: (hash, onHeld) => join(hash, entry => entry.heldListeners, onHeld),
    tellHeld,
    tell,
    nudge(hash) {
      const entry = entries.get(hash)
      if (entry) void ask(hash, entry)
    },
    close() {
      for (const entry of entries.values()) entry.cancel()
      entries.clear()
    },
  }
}

/** Each apart, so that a listener that throws is nobody else's trouble; stopped in between, it is not called. */
function run<T>(listeners: Set<{ run: (news: T) => void }>, news: T): void {
  const all = [...listeners]
  for (const listener of all)
    queueMicrotask(() => {
      if (listeners.delete(listener)) listener.run(news)
    })
}
