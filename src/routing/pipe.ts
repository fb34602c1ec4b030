/**
 * Policies are put together of steps: conditions that narrow the sample, moves that change its order, and the policy that
 * chooses at the end.
 * @module
 */
import type { Filter, NamedFilter, Policy, Reorder } from './policy.ts'

/** A condition of one's own, or a move. */
export type Step = NamedFilter | Reorder

/**
 * One policy of several steps and a policy: conditions hold before it chooses, moves are made after it has chosen, the
 * last before the first. Its name lists all of them, so that `openPolicy` finds it again.
 */
export function pipe(...parts: readonly [...steps: Step[], policy: Policy]): Policy {
  const policy = parts.at(-1) as Policy
  const steps = parts.slice(0, -1) as Step[]
  const filters: Filter[] = [
    ...steps.flatMap(step => ('filter' in step ? [step.filter] : [])),
    ...(policy.filters ?? []),
  ]
  const moves = steps.filter(step => 'reorder' in step)
  const own = [...moves.flatMap(move => move.own ?? []), ...(policy.own ?? [])]
  return {
    name: [...steps, policy].map(({ name }) => name).join('|'),
    says: `${policy.says} With: ${steps.map(({ name }) => name).join(', ')}.`,
    ...(filters.length > 0 && { filters }),
    ...(own.length > 0 && { own }),
    choose(sample, wants, median, dice, params) {
      const chosen = policy.choose(sample, wants, median, dice, params)
      return moves.reduceRight<readonly number[]>((order, move) => move.reorder(order, sample, wants), chosen)
    },
  }
}
