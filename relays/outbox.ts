/**
 * Events that one relay has not answered yet: sent now, sent again after an outage or after AUTH, for a while.
 * @module
 */
import type { Event } from '../kinds/kind.ts'
import type { Clock } from '../src/clock.ts'
import type { PoolLimits } from './pool-limits.ts'

interface Wire {
  send(text: string): void
}

export interface Outbox {
  /**
   * `wire`: the open connection, if there is one; `until`: milliseconds of the clock after which an outage is no reason
   * to send again. Returns the way to forget the event.
   */
  add(event: Event, answer: (ok: boolean, says: string) => void, wire: Wire | undefined, until?: number): () => void
  /** The relay said OK true or false of an event: final, except that it asks for AUTH. `duplicate:` is a yes. */
  answered(id: string, ok: boolean, says: string): void
  /** Sends everything that is unanswered. */
  opened(wire: Wire): void
  needsAuth(): boolean
  /** After AUTH: sends again what waited for it, or gives up on that. */
  authenticated(ok: boolean, says: string, wire: Wire): void
  close(): void
}

interface Kept {
  readonly id: string
  readonly text: string
  readonly answer: (ok: boolean, says: string) => void
  readonly until: number
  /** What the relay said when it asked for AUTH. */
  authSays: string
  triedAuth: boolean
  cancel: () => void
}

export interface OutboxOptions {
  readonly clock: Clock
  readonly limits: Pick<PoolLimits, 'keptEvents' | 'eoseMs'>
  /** True when the refusal may turn into a yes by AUTH. */
  isAuthRequired(says: string): boolean
}

/** Empty at first. */
export function openOutbox({ clock, limits, isAuthRequired }: OutboxOptions): Outbox {
  const kept = new Set<Kept>()

  const drop = (item: Kept) => {
    item.cancel()
    kept.delete(item)
  }

  const finish = (item: Kept, ok: boolean, says: string) => {
    drop(item)
    item.answer(ok, says)
  }

  return {
    add(event, answer, wire, until = Number.POSITIVE_INFINITY) {
      const item: Kept = {
        id: event.id,
        text: `["EVENT",${JSON.stringify(event)}]`,
        answer,
        until,
        authSays: '',
        triedAuth: false,
        cancel: () => {},
      }
      kept.add(item)
      const [oldest] = kept.size > limits.keptEvents ? kept : []
      if (oldest) drop(oldest)
      wire?.send(item.text)
      return () => drop(item)
    },
    answered(id, ok, says) {
      for (const item of [...kept]) {
        if (item.id !== id) continue
        if (ok || says.startsWith('duplicate:')) finish(item, true, says)
        else if (isAuthRequired(says) && !item.triedAuth) {
          item.triedAuth = true
          item.authSays = says
          item.cancel()
          item.cancel = clock.after(limits.eoseMs, () => finish(item, false, says))
        } else finish(item, false, says)
      }
    },
    opened(wire) {
      for (const item of [...kept]) {
        item.triedAuth = false
        if (clock.now() < item.until) wire.send(item.text)
        else drop(item)
      }
    },
    needsAuth: () => [...kept].some(item => item.authSays !== ''),
    authenticated(ok, says, wire) {
      for (const item of [...kept]) {
        if (item.authSays === '') continue
        if (!ok) finish(item, false, says || item.authSays)
        else {
          item.authSays = ''
          wire.send(item.text)
        }
      }
    },
    close() {
      for (const item of [...kept]) drop(item)
    },
  }
}
