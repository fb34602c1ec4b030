/**
 * The policy of who has nodes of his own: those first, strangers as fail-over. A routing event marks them, so nobody is
 * deceived.
 * @module
 */
import { byDefault } from './default.ts'
import { pipe } from './pipe.ts'
import { mostNamed, type Policy, type Reorder } from './policy.ts'

/** Own nodes before all others. Without a list it knows them by their mark in a published sample. */
export const prefer = (nodes: readonly string[] = []): Reorder => ({
  name: 'prefer',
  own: nodes,
  reorder(order, sample) {
    const own = [...sample.keys()].filter(i => sample[i]?.own)
    return [...new Set([...order.filter(i => sample[i]?.own), ...own, ...order])].slice(0, mostNamed)
  },
})

/** The default, with the operator's own nodes (public keys) before all others, wherever they stand on the ring. */
export const local = (nodes: readonly string[] = []): Policy => ({
  ...pipe(prefer(nodes), byDefault),
  name: 'local',
  says: 'Takes the nodes of whoever runs the router, then others as the default does.',
})
