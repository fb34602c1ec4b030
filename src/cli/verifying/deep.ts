/**
 * The full recomputation as a client wants it for the share of routing events that it tries.
 * @module
 */
import type { Event } from '../../../kinds/index.ts'
import type { Relays } from '../../../relays/relay.ts'
import type { DeepCheck, Recomputed } from '../../client/recompute.ts'
import { type Clock, seconds, timeLimit } from '../../clock.ts'
import type { Network } from '../../payments/payment.ts'
import { verifyEvent } from './verify.ts'

export interface DeepOptions {
  readonly clock: Clock
  verify(event: Event): boolean
  readonly network?: Network
  /** Milliseconds for all questions to relays. Default 20,000. */
  readonly limitMs?: number
  readonly questions?: number
}

/** What `RecomputeOptions.deep` takes: every check of `gridstr verify`, on the client's own relays, within a time limit. */
export function openDeepCheck({ clock, verify, network, limitMs = 20_000, questions = 200 }: DeepOptions): DeepCheck {
  return async (routing: Event, relays: Relays, signal?: AbortSignal): Promise<Recomputed> => {
    const limit = timeLimit(clock, limitMs, signal)
    try {
      const { checks } = await verifyEvent(routing, {
        ...{ relays, verify, questions, now: seconds(clock), signal: limit.signal },
        ...(network === undefined ? {} : { network }),
      })
      const findings = checks.map(({ name, ok, says }) => ({ check: name, ok: ok ?? undefined, says }))
      return { ok: findings.every(({ ok }) => ok !== false), findings }
    } finally {
      limit.stop()
    }
  }
}
