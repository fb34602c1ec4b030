/**
 * Levels of privacy of a job, as requests want and nodes announce them.
 * @module
 */
import type { Value } from './values.ts'

/**
 * 0: public. 1: sealed to the node, asked under a key of one job. 2: that, and wrapped both ways (NIP-59), so that relays see
 * neither who asks nor what kind of work. 3: that, and only on hardware that the customer names as its own.
 */
export type Privacy = 0 | 1 | 2 | 3

/** All levels, the least private first. */
export const privacies: readonly Privacy[] = [0, 1, 2, 3]

/** One level as a tag says it. */
export const privacyLevel: Value<Privacy> = {
  form: '<0|1|2|3>',
  read: ([said]) => privacies.find(level => String(level) === said),
  write: level => [String(level)],
}
