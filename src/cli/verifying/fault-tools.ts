/**
 * What a judge of faults brings: the tools that a router judges with.
 * @module
 */
export { faultTools, policyOf, redecided } from '../../router/fault-tools.ts'
