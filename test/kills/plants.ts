/**
 * Faults planted on purpose, so that it is known that the harness finds them.
 * @module
 */
import { type Journal, memoryJournal } from '../../src/journal/index.ts'

/**
 * `forgetful-node`: the node writes down no facts. `late-intent`: the customer writes an order after its payment.
 * `no-outbox`: the node signs its words anew in every life.
 */
export const PLANTS = ['forgetful-node', 'late-intent', 'no-outbox'] as const
export type Plant = (typeof PLANTS)[number]

/** The journal of a role, with its fault. */
export function planted(journal: Journal, plant: Plant | undefined, role: string): Journal {
  if (plant === 'forgetful-node' && role === 'node') return { ...journal, jobs: memoryJournal().jobs }
  if (plant === 'no-outbox' && role === 'node') return { ...journal, outbox: memoryJournal().outbox }
  if (plant === 'late-intent' && role === 'payer') return lateIntent(journal)
  return journal
}

function lateIntent(journal: Journal): Journal {
  const intended = memoryJournal().orders
  const { orders } = journal
  return {
    ...journal,
    orders: {
      ...orders,
      plan: row => orders.get(row.hash) === undefined && intended.plan(row),
      get: hash => orders.get(hash) ?? intended.get(hash),
      end(hash, end) {
        const order = intended.get(hash)
        if (order) orders.plan(order)
        orders.end(hash, end)
      },
    },
  }
}
