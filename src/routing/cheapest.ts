/**
 * The policy of who counts every msat: price first, then score.
 * @module
 */
import { mostNamed, type Policy } from './policy.ts'

/** Lowest price first; of the same price the better score, then whom the walk met first. */
export const cheapest: Policy = {
  name: 'cheapest',
  says: 'Takes the lowest price; of equal prices the best score.',
  choose: sample =>
    [...sample.keys()]
      .sort((a, b) => {
        const [x, y] = [sample[a], sample[b]]
        return x && y ? x.msats - y.msats || y.score - x.score || a - b : 0
      })
      .slice(0, mostNamed),
}
