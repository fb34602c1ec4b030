/**
 * The list of this room: one line per driver, and the contract that they keep.
 * @module
 */
export { type EmbeddedRelay, type RelayOptions, startRelay } from './embedded/relay.ts'
export * from './memory.ts'
export * from './ndk.ts'
export * from './pool.ts'
export { POOL_LIMITS, type PoolLimits } from './pool-limits.ts'
export * from './relay.ts'
export * from './relaypool.ts'
