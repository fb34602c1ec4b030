/**
 * The list of this room: one line per fold.
 * @module
 */

export { auditShare, drawn } from './audit.ts'
export { type CreditLine, type CreditPolicy, creditLine } from './credit-line.ts'
export type { BillFact } from './ledger.ts'
export { defaultParams, type Params, paramsHash } from './params.ts'
export { type Around, type Factors, productOf, type Score, scoreOf } from './score.ts'
export { fold, isEjected, jobsOf, openTrack, type Stage, stageOf, type Track, type TrackFact } from './track.ts'
