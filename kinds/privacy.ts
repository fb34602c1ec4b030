/**
 * Levels of privacy of a job, as requests want and nodes announce them.
 * @module
 */

/** 0: public. 1: sealed to the node. 2 and 3: beyond that, as the node announces. */
export type Privacy = 0 | 1 | 2 | 3

/** All levels, the least private first. */
export const privacies: readonly Privacy[] = [0, 1, 2, 3]
