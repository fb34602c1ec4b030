/**
 * The lease of a node (kind 38601): how busy it is and what it asks, told with each heartbeat and soon after it changed.
 * @module
 */
import { type NodeState, nodeState, type PostedPrice } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { Slots } from './load.ts'

export interface StateOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** `d` of the announcement. */
  readonly service: string
  readonly kinds: readonly number[]
  slots(): Slots
  /** What is asked now. */
  prices(): readonly PostedPrice[]
}

export interface StateWriter {
  /** The node heard itself: the lease holds until then. */
  beat(expiresAt: number): void
  /** Something may have changed. Nothing is told of a node that has not heard itself. */
  changed(): void
  /** Ends the lease within seconds. */
  close(): void
}

const everyMs = 10_000
/** Who would still count on a closed node is told otherwise by a lease that ends at once, and not after minutes. */
const lastSeconds = 5

export function openState(options: StateOptions): StateWriter {
  const { relays, keys, secret, clock, service, kinds } = options
  const generation = seconds(clock)
  let until = 0
  let said = ''
  let saidMs = Number.NEGATIVE_INFINITY
  let saidAt = 0
  let stopTimer: (() => void) | undefined

  const present = (): Pick<NodeState, 'slots' | 'prices'> => ({ slots: options.slots(), prices: options.prices() })
  const nameOf = ({ slots, prices }: Pick<NodeState, 'slots' | 'prices'>): string =>
    [...Object.values(slots), ...prices.map(price => price.msats)].join()

  function tell(expiresAt: number) {
    stopTimer?.()
    stopTimer = undefined
    const now = present()
    said = nameOf(now)
    saidMs = clock.now()
    // Of two addressable events of one second the one with the lower id stays, whichever is newer.
    saidAt = Math.max(saidAt + 1, seconds(clock))
    const value = { service, kinds, ...now, generation, expiresAt }
    void relays.publish(keys.sign(nodeState.write(value, saidAt), secret), { want: 1, keepMs: 0 })
  }

  function changed() {
    if (seconds(clock) >= until || stopTimer || nameOf(present()) === said) return
    const waits = saidMs + everyMs - clock.now()
    if (waits <= 0) tell(until)
    else
      stopTimer = clock.after(waits, () => {
        stopTimer = undefined
        changed()
      })
  }

  return {
    beat(expiresAt) {
      until = expiresAt
      tell(expiresAt)
    },
    changed,
    close() {
      stopTimer?.()
      if (seconds(clock) < until) tell(seconds(clock) + lastSeconds)
      until = 0
    },
  }
}
