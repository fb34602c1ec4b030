/**
 * Which hold invoices of one connection wait for their money, so that it is told of once it came, also after a restart.
 * @module
 */
import type { Held, HoldPayee } from '../payment.ts'
import type { NwcStore } from './store.ts'

export interface HeldNews {
  /** A hold invoice was made. */
  made(hash: string): void
  /** It was settled or cancelled: nothing will be told of it. */
  over(hash: string): void
  /** Waits again for what a process before this one waited for. */
  resume(): void
  close(): void
}

/** Waited for at one time; the one that was made first is let go. */
const MAX_WAITING = 1_000
const PREFIX = 'hold '

/** Tells of money by `tell`; kept until it was told. */
export function heldNews(
  { shelf }: NwcStore,
  payee: () => Promise<HoldPayee | undefined>,
  tell: (held: Held) => Promise<void>,
): HeldNews {
  const waiting = new Map<string, () => void>()
  let closed = false

  function over(hash: string): void {
    waiting.get(hash)?.()
    waiting.delete(hash)
    if (closed) return
    try {
      shelf.delete(`${PREFIX}${hash}`)
    } catch {
      // What stays is waited for once more after a restart, and told once more at worst.
    }
  }

  async function wait(hash: string): Promise<void> {
    waiting.set(hash, () => {})
    try {
      const holder = await payee()
      if (!holder || !waiting.has(hash)) return
      const stop = holder.watchHeld(hash, held => {
        waiting.delete(hash)
        void tell(held)
          .catch(() => {})
          .then(() => over(hash))
      })
      waiting.set(hash, stop)
    } catch {
      // A wallet that cannot be asked, or watches too much: the client polls beside what it is told.
    }
  }

  return {
    made(hash) {
      if (closed || waiting.has(hash)) return
      const [oldest] = waiting.size >= MAX_WAITING ? waiting.keys() : []
      if (oldest !== undefined) over(oldest)
      shelf.set(`${PREFIX}${hash}`, true, 'plain')
      void wait(hash)
    },
    over,
    resume() {
      for (const [key] of [...shelf.entries(PREFIX)]) void wait(key.slice(PREFIX.length))
    },
    close() {
      closed = true
      for (const stop of waiting.values()) stop()
      waiting.clear()
    },
  }
}
