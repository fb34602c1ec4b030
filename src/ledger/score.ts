/**
 * The score of a node in a market: S = R²·V·Q·T·K·L, each factor published to six decimals, the price in none of them.
 * @module
 */
import type { Factors } from '../../kinds/index.ts'
import { decay, logShare, sixDecimals } from './digits.ts'
import type { Params } from './params.ts'
import { auditsAt, oneFailed, type Track } from './track.ts'

export type { Factors } from '../../kinds/index.ts'

/**
 * What a track is measured against. `at` is unix seconds, rounded to the minute by the caller and published, so that a
 * verifier gets the same digits; medians are those of the market, 0 when unknown.
 */
export interface Around {
  readonly at: number
  readonly medianFirstMs: number
  readonly medianPerTokenMs: number
  readonly stakeUnits: number
  /** Stake that earns the whole bonus; 0: stake counts nothing. */
  readonly stakeRef: number
  /** Measured by whoever asks. Unknown counts as the median. */
  readonly rttMs?: number | undefined
  readonly medianRttMs?: number | undefined
}

export interface Score {
  /** 0 to 1, six decimals: the product of the rounded factors, so that anybody can multiply them again. */
  readonly score: number
  readonly factors: Factors
}

/** Scores a track; nothing known of a node is a low score and not an error. */
export function scoreOf(track: Track, around: Around, params: Params): Score {
  const gone = track.at < 0 || around.at - track.at >= params.forgetSeconds
  const left = gone ? 0 : decay(around.at - track.at, params.halfLifeSeconds)
  const factors: Factors = {
    R: sixDecimals(reliability(track.s * left, track.f * left, params)),
    V: track.faultAt >= 0 ? 0 : sixDecimals(verified(auditsAt(track, params, around.at), params)),
    Q: sixDecimals(gone ? speed(1, params) : speed(slowness(track, around), params)),
    T: tenure(gone ? 0 : track.streak, params),
    K: sixDecimals(stake(around, params)),
    L: sixDecimals(latency(around, params)),
  }
  return { score: productOf(factors), factors }
}

/** The score that published factors come to. */
export const productOf = ({ R, V, Q, T, K, L }: Factors): number => Math.min(1, sixDecimals(R * R * V * Q * T * K * L))

/** Lower bound of a beta distribution: its mean less one standard deviation. */
function reliability(s: number, f: number, params: Params): number {
  const good = params.priorServed + s
  const all = good + params.priorFailed + f
  const mean = good / all
  return Math.max(0, mean - Math.sqrt((mean * (1 - mean)) / (1 + all)))
}

function verified(packed: number, params: Params): number {
  const failed = Math.floor(packed / oneFailed)
  const passed = packed - failed * oneFailed
  return (1 + passed) / (2 + passed + params.auditPenalty * failed)
}

const speed = (ratio: number, params: Params): number => params.speedFloor + (1 - params.speedFloor) / (1 + ratio)

/** How many times the median it takes: mean of what is known of the first word and of each further one. */
function slowness(track: Track, around: Around): number {
  const first = track.firstUs > 0 && around.medianFirstMs > 0 ? track.firstUs / 1000 / around.medianFirstMs : 0
  const token = track.tokenUs > 0 && around.medianPerTokenMs > 0 ? track.tokenUs / 1000 / around.medianPerTokenMs : 0
  if (first > 0 && token > 0) return (first + token) / 2
  return first > 0 ? first : token > 0 ? token : 1
}

let tenures: { readonly params: Params; readonly table: Float64Array } | undefined

function tenure(streak: number, params: Params): number {
  if (streak >= params.tenureJobs) return 1
  if (tenures?.params !== params) {
    const { tenureFloor: floor, tenureJobs } = params
    const of = (n: number) => Math.min(1, sixDecimals(floor + (1 - floor) * logShare(n, tenureJobs)))
    tenures = { params, table: Float64Array.from({ length: Math.ceil(tenureJobs) }, (_, n) => of(n)) }
  }
  return tenures.table[streak] ?? 1
}

function stake({ stakeUnits, stakeRef }: Around, params: Params): number {
  if (!(stakeUnits > 0) || !(stakeRef > 0)) return 1
  return 1 + params.stakeMost * Math.min(1, stakeUnits / stakeRef)
}

function latency({ rttMs, medianRttMs }: Around, params: Params): number {
  const known = rttMs !== undefined && rttMs >= 0 && medianRttMs !== undefined && medianRttMs > 0
  return params.latencyFloor + (1 - params.latencyFloor) / (1 + (known ? rttMs / medianRttMs : 1))
}
