/**
 * Steps that may stand before any policy in a pipe.
 * @module
 */
import { unproven } from './filters.ts'
import type { NamedFilter, Reorder } from './policy.ts'

/** Only proven nodes. */
export const proven: NamedFilter = { name: 'proven', filter: unproven }

/** Fewer jobs under way first; what is equal stays in its order. */
export const idle: Reorder = {
  name: 'idle',
  reorder: (order, sample) => order.toSorted((a, b) => (sample[a]?.inflight ?? 0) - (sample[b]?.inflight ?? 0)),
}
