/**
 * The policies that exist. One more policy is one file and one line here.
 * @module
 */
import { byDefault } from './default.ts'
import type { Policy } from './policy.ts'

export { type Decision, decide, type Lane, mostWalked } from './decide.ts'
export { openDice } from './dice.ts'
export { type Market, openMarket, positionOf } from './market.ts'
export * from './policy.ts'

/** Each policy by its name. */
export const policies: ReadonlyMap<string, Policy> = new Map([['default', byDefault]])
