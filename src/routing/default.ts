/**
 * The policy that nobody has to ask for: score per price decides who is likely drawn, score and load who of the drawn
 * comes first. Good and cheap nodes get more work, and never all of it.
 * @module
 */
import { mostNamed, type Policy } from './policy.ts'
import { descending, drawWeighted, openLots, utilityOf } from './utility.ts'

/**
 * Draws a few with weight (Sᵖ/(price/median))², then orders them by Sᵖ·(1±jitter)/(1+inflight); the rest of the sample
 * follows by utility, as fail-over.
 */
export function drawing(name: string, says: string, power: number): Policy {
  return {
    name,
    says,
    choose(sample, _wants, median, dice, params) {
      const worth = sample.map(one => (power === 1 ? one : { ...one, score: one.score ** power }))
      const utilities = worth.map(one => utilityOf(one, median))
      const [lot, noise] = [openLots(dice), openLots(dice)]
      const weights = utilities.map(utility => utility * utility)
      const drawn = drawWeighted(
        weights,
        sample.map(({ node }) => lot(node)),
        params.draw,
      )
      const now = drawn.map(i => {
        const { score = 0, inflight = 0, node = '' } = worth[i] ?? {}
        return (score * (1 - params.jitter + 2 * params.jitter * noise(node))) / (1 + inflight)
      })
      const first = descending(now, mostNamed).map(i => drawn[i] ?? 0)
      const rest = descending(utilities, mostNamed - first.length, first)
      return [...first, ...rest]
    },
  }
}

/** The default: proven quality per price, spread by the power of a few choices. */
export const byDefault: Policy = drawing(
  'default',
  'Draws four by score per price, takes the best and least busy of them.',
  1,
)
