/**
 * The list of this room: one line per fold.
 * @module
 */

export {
  type AskedPrice,
  type Asking,
  askedMsats,
  askedPrice,
  askingOf,
  type StandardJob,
  standardTokens,
} from './asking-price.ts'
export { auditShare, drawn } from './audit.ts'
export { type Cohort, type Newcomer, openCohort } from './cohort.ts'
export { type CreditLine, type CreditPolicy, creditLine } from './credit-line.ts'
export { type Directory, type DirectoryOptions, type Entry, type Measurement, openDirectory } from './directory.ts'
export { type Ejected, isLetOff, letOff } from './ejections.ts'
export {
  type FaultCheck,
  type FaultFinding,
  type FaultRule,
  type FaultTools,
  faultRules,
  type InvoiceSaid,
  penaltyOf,
  type ReceiptAbout,
  type Redecided,
  verifyFault,
  type Witness,
} from './faults.ts'
export { leastEvidence } from './least-evidence.ts'
export type { BillFact } from './ledger.ts'
export {
  type ChainFault,
  factOf,
  foldLog,
  type Ledger,
  type LogEntry,
  labelEntry,
  openLedger,
  routingEntry,
  type Standing,
} from './log.ts'
export { type Median, openMedian } from './medians.ts'
export { defaultParams, type Params, paramsHash } from './params.ts'
export { openPayers, type Payers, type Reach } from './payers.ts'
export { type Around, type Factors, productOf, type Score, scoreOf } from './score.ts'
export { type Kept, type Stake, stakeOf } from './stake.ts'
export { type Metered, meteredMsats, type Tariff, tokensFor } from './tariff.ts'
export { fold, isEjected, jobsOf, openTrack, type Stage, stageOf, type Track, type TrackFact } from './track.ts'
export { type PaymentGraph, seededWalk, type Walk } from './walk.ts'
