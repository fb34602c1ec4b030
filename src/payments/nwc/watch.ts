/**
 * Watching invoices of a NIP-47 wallet: its notifications are the fast way, asking it with growing pauses the sure one.
 * @module
 */
import type { Clock } from '../../clock.ts'
import type { BillState, Payee } from '../payment.ts'

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
  /** The invoice is settled: tells everyone who watches it. */
  tell(hash: string, settled: Settled): void
  /** Something was heard about the invoice: ask now. */
  nudge(hash: string): void
  close(): void
}

interface Entry {
  readonly listeners: Set<{ run: (settled: Settled) => void }>
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
    entry.delayMs = Math.min(maxMs, Math.ceil(entry.delayMs * 1.5))
    arm(hash, entry)
  }

  function tell(hash: string, settled: Settled): void {
    const entry = entries.get(hash)
    if (!entry) return
    entries.delete(hash)
    entry.cancel()
    // Apart, so that a listener that throws is nobody else's trouble; stopped in between, it is not called.
    for (const listener of entry.listeners)
      queueMicrotask(() => {
        if (entry.listeners.delete(listener)) listener.run(settled)
      })
  }

  return {
    watch(hash, onSettled) {
      let entry = entries.get(hash)
      if (!entry) {
        if (entries.size >= MAX_WATCHED)
          throw new Error(`${MAX_WATCHED} invoices are watched already: stop the watches of jobs that ended.`)
        entry = { listeners: new Set(), delayMs: firstMs, asking: false, cancel: () => {} }
        entries.set(hash, entry)
        arm(hash, entry)
      }
      const { listeners } = entry
      const mine = entry
      const listener = { run: onSettled }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0 || entries.get(hash) !== mine) return
        mine.cancel()
        entries.delete(hash)
      }
    },
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
