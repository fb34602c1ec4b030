/**
 * Every number that decides about a node, in one record with one hash: whoever recomputes a score needs nothing else.
 * The defaults are the simulated ones.
 * @module
 */
import { sha256Hex } from '../hash.ts'

const day = 86_400

export interface Params {
  /** After so many seconds an outcome counts half. */
  readonly halfLifeSeconds: number
  /** What is older is gone, but for proven faults. */
  readonly forgetSeconds: number
  /** Whoever did nothing for so long is audited at `idleAudit` again, and less only with new audits passed. */
  readonly idleSeconds: number
  readonly idleAudit: number
  /** Outcomes that everybody starts with. */
  readonly priorServed: number
  readonly priorFailed: number
  /** As many passed audits as one failed audit weighs. */
  readonly auditPenalty: number
  /** Share of the newest measurement in the running mean of speed. */
  readonly ewma: number
  readonly speedFloor: number
  readonly latencyFloor: number
  readonly tenureFloor: number
  /** Audited-valid jobs in a row until tenure is full. */
  readonly tenureJobs: number
  /** Most that stake adds to a score: 0.1 is ten per cent. */
  readonly stakeMost: number
  /** Longest time that a bond counts. */
  readonly stakeSeconds: number
  /** Audited-valid jobs in a row until a newcomer is proven. */
  readonly probationJobs: number
  /** Newcomers that are proven at the same time. */
  readonly cohort: number
  /** Least share of a proven node's jobs that is audited; with a bond of `bondedJobs` median prices; with one of `wellBondedJobs` and more than `wellBondedClean` clean jobs. */
  readonly auditLeast: number
  readonly auditLeastBonded: number
  readonly auditLeastWellBonded: number
  readonly bondedJobs: number
  readonly wellBondedJobs: number
  readonly wellBondedClean: number
  /** Share of the jobs that go to newcomers on purpose. */
  readonly explore: number
  /** Candidates that are looked at for one decision, drawn of them, and the noise on their order. */
  readonly ring: number
  readonly draw: number
  readonly jitter: number
  /** Most of a pool that may be ejected at once for not answering. */
  readonly ejectShare: number
  /** Failures in a row, or a share of failures over at least so many jobs, that eject. */
  readonly failStreak: number
  readonly failRate: number
  readonly failRateOver: number
  /** The n-th ejection lasts n times so long. */
  readonly ejectSeconds: number
  readonly walkRestart: number
  readonly walkSteps: number
}

export const defaultParams: Params = {
  halfLifeSeconds: 7 * day,
  forgetSeconds: 90 * day,
  idleSeconds: 14 * day,
  idleAudit: 0.1,
  priorServed: 1,
  priorFailed: 2,
  auditPenalty: 10,
  ewma: 0.2,
  speedFloor: 0.6,
  latencyFloor: 0.8,
  tenureFloor: 0.2,
  tenureJobs: 60,
  stakeMost: 0.1,
  stakeSeconds: 90 * day,
  probationJobs: 20,
  cohort: 64,
  auditLeast: 0.1,
  auditLeastBonded: 0.05,
  auditLeastWellBonded: 0.02,
  bondedJobs: 20,
  wellBondedJobs: 50,
  wellBondedClean: 1000,
  explore: 0.02,
  ring: 64,
  draw: 4,
  jitter: 0.1,
  ejectShare: 0.1,
  failStreak: 5,
  failRate: 0.35,
  failRateOver: 12,
  ejectSeconds: 30,
  walkRestart: 0.3,
  walkSteps: 30,
}

/** SHA-256 of the parameters as JSON with sorted names: what a score says it was made with. */
export const paramsHash = (params: Params): string =>
  sha256Hex(JSON.stringify(Object.fromEntries(Object.entries(params).toSorted(([a], [b]) => (a < b ? -1 : 1)))))
