/**
 * The list of this room.
 * @module
 */
export { chartOf } from './chart.ts'
export { jobsFor, type SimOptions, type SimPoint, type SimReport } from './sim.ts'
export { simulate } from './world.ts'
