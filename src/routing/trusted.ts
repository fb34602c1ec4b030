/**
 * The policy of who would rather pay more than be let down: only proven nodes, and the score counts with its cube.
 * @module
 */
import { drawing } from './default.ts'
import { unproven } from './filters.ts'
import type { Policy } from './policy.ts'

/** As the default, with S³ for S, and no newcomers ever. */
export const trusted: Policy = {
  ...drawing('trusted', 'Takes only proven nodes; twice the score counts as much as an eighth of the price.', 3),
  filters: [unproven],
}
