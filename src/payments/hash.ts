/**
 * Payment hashes and what opens them.
 * @module
 */
import { fromHex, sha256Hex } from '../hash.ts'

export { fromHex, hmacSha256, sha256, sha256Hex, toHex } from '../hash.ts'

/** True for 32 bytes as lower-case hex. */
export const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/** True when `preimage` (32 bytes hex) opens `hash`. False, never an error, for whatever else a stranger may send. */
export const proves = (preimage: unknown, hash: string): boolean =>
  isHash(preimage) && sha256Hex(fromHex(preimage)) === hash
