/**
 * The policies that exist, by name. One more policy is one file and one line here.
 * @module
 */
import { cheapest } from './cheapest.ts'
import { byDefault } from './default.ts'
import { fastest } from './fastest.ts'
import { local, prefer } from './local.ts'
import { pipe, type Step } from './pipe.ts'
import type { Policy } from './policy.ts'
import { idle, proven } from './steps.ts'
import { trusted } from './trusted.ts'

export { type Decision, decide, type Lane, mostWalked } from './decide.ts'
export { openDice } from './dice.ts'
export { hedgeAfterMs } from './hedge.ts'
export { local, prefer } from './local.ts'
export { type Market, openMarket, positionOf } from './market.ts'
export { type Advice, type Advised, type Merged, merge } from './merge.ts'
export { pipe } from './pipe.ts'
export * from './policy.ts'
export { type Fault, type Published, type Redecision, redecide } from './redecide.ts'

export { wantsOf } from './wants.ts'

/** Each policy by its name. `local` here prefers nobody of its own: `openPolicy` tells it whom. */
export const policies: ReadonlyMap<string, Policy> = new Map(
  [byDefault, cheapest, fastest, trusted, local()].map(policy => [policy.name, policy]),
)

const steps: ReadonlyMap<string, (nodes: readonly string[]) => Step> = new Map<
  string,
  (nodes: readonly string[]) => Step
>([
  ['proven', () => proven],
  ['idle', () => idle],
  ['prefer', prefer],
])

/**
 * The policy of that name: steps and a policy with a `|` between, such as `proven|cheapest`. `nodes` are those that
 * `local` and `prefer` prefer. Throws a `RangeError` that names what there is.
 */
export function openPolicy(name = 'default', nodes: readonly string[] = []): Policy {
  const words = name.split('|')
  const word = words.at(-1) ?? ''
  const last = word === 'local' ? local(nodes) : policies.get(word)
  const before = words.slice(0, -1).map(word => steps.get(word))
  if (!last || before.some(step => !step))
    throw new RangeError(
      `there is no policy "${name}"; policies are ${[...policies.keys()].join(', ')}; before one may stand, each with a "|": ${[...steps.keys()].join(', ')}`,
    )
  return before.length === 0 ? last : pipe(...before.flatMap(step => (step ? [step(nodes)] : [])), last)
}
