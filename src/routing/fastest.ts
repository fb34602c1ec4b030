/**
 * The policy of who waits for the first word: measured time first, then score. What a node says of itself is not measured.
 * @module
 */
import { mostNamed, type Policy, type Sampled } from './policy.ts'

const timeOf = (one: Sampled): number => one.firstMs ?? Number.MAX_VALUE

/** Least measured time to the first word first; whoever was never measured comes after, by score. */
export const fastest: Policy = {
  name: 'fastest',
  says: 'Takes the least measured time to the first word; who was never measured comes last.',
  choose: sample =>
    [...sample.keys()]
      .sort((a, b) => {
        const [x, y] = [sample[a], sample[b]]
        return x && y ? timeOf(x) - timeOf(y) || y.score - x.score || a - b : 0
      })
      .slice(0, mostNamed),
}
