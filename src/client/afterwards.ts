/**
 * What goes on for a client after its questions have their answers: words and money that may still come.
 * @module
 */

export interface Afterwards {
  /** Fires when nobody waits any more for what begins now. */
  readonly signal: AbortSignal
  /** Work that nobody is held up by. Its rejections are its own. */
  add(work: Promise<unknown>): void
  /** True once all of it has ended. When `signal` fires, false: what still runs is ended, and left to the journal. */
  settled(signal?: AbortSignal): Promise<boolean>
}

export function openAfterwards(): Afterwards {
  const works = new Set<Promise<unknown>>()
  let life = new AbortController()

  async function all(): Promise<void> {
    while (works.size > 0) await Promise.all(works)
  }

  return {
    get signal() {
      return life.signal
    },
    add(work) {
      const ends: Promise<unknown> = work.catch(() => {}).then(() => works.delete(ends))
      works.add(ends)
    },
    async settled(signal) {
      if (works.size === 0) return true
      const { promise: enough, resolve } = Promise.withResolvers<false>()
      const giveUp = () => resolve(false)
      signal?.addEventListener('abort', giveUp, { once: true })
      if (signal?.aborted) giveUp()
      const done = await Promise.race([all().then(() => true), enough])
      signal?.removeEventListener('abort', giveUp)
      if (done) return true
      const ending = life
      life = new AbortController()
      ending.abort()
      // Nothing of it may touch a journal or a wallet that its owner closes now.
      await Promise.all(works)
      return false
    },
  }
}
