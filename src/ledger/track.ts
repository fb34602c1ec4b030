/**
 * The record of one node in one market (kind and model), folded from single facts. A million of them live side by side
 * in a router and in the simulator, so a track is a flat row of small numbers and folding allocates nothing.
 * @module
 */
import { decay } from './digits.ts'
import type { Params } from './params.ts'

/**
 * One judged fact. `at` is unix seconds; `weight` is what its customer's word counts, 0 to 1. `disputed`: it answered,
 * and the customer says badly. That lowers reliability and never ejects, because nobody can prove it.
 */
export type TrackFact =
  | {
      readonly fact: 'served'
      readonly at: number
      readonly weight: number
      readonly firstMs?: number | undefined
      readonly perTokenMs?: number | undefined
    }
  | { readonly fact: 'failed' | 'disputed'; readonly at: number; readonly weight: number }
  | { readonly fact: 'audit'; readonly at: number; readonly passed: boolean }
  | { readonly fact: 'fault'; readonly at: number }

/** `new`: nothing is known. `ejected`: for not answering, for a while. `banned`: a fault was proven. */
export type Stage = 'new' | 'probation' | 'proven' | 'ejected' | 'banned'

/** Integers but for `s` and `f`, because V8 keeps those without a box. Times are unix seconds; -1 is never. */
export interface Track {
  /** Newest fact but faults: what `s` and `f` are decayed to. */
  at: number
  /** Weights of what was served and of what was not. */
  s: number
  f: number
  /** Weights of all that was served and not yet forgotten, not decayed, in thousandths of a job. */
  served: number
  /** Audits passed since the last one failed, and how many of them were before the last ejection. */
  streak: number
  mark: number
  /** As `streak`, but two idle weeks put it back to 10: audits come as often as its inverse. */
  run: number
  /** Running means in microseconds; 0 is unknown. */
  firstUs: number
  tokenUs: number
  /** Failures in a row, and outcomes and failures of late, in thousandths of a job. */
  inRow: number
  tried: number
  missed: number
  ejections: number
  ejectedAt: number
  faultAt: number
  /** Audits of the newest window of time and of the three before: passed + 2^20 × failed. */
  window: number
  audits0: number
  audits1: number
  audits2: number
  audits3: number
}

/** A node of which nothing is known. */
export const openTrack = (): Track => ({
  at: -1,
  s: 0,
  f: 0,
  served: 0,
  streak: 0,
  mark: 0,
  run: 0,
  firstUs: 0,
  tokenUs: 0,
  inRow: 0,
  tried: 0,
  missed: 0,
  ejections: 0,
  ejectedAt: -1,
  faultAt: -1,
  window: -1,
  audits0: 0,
  audits1: 0,
  audits2: 0,
  audits3: 0,
})

/**
 * Takes one fact into a track. Facts may come out of order: an older one counts as much as if it had come in time, and no
 * clock makes anything grow. Whose word weighs nothing changes nothing. A proven fault stays for good; everything else is gone 90 days after the newest fact.
 */
export function fold(track: Track, fact: TrackFact, params: Params): void {
  const at = fact.at > 0 ? Math.floor(fact.at) : 0
  if (fact.fact === 'fault') {
    if (track.faultAt < 0 || at < track.faultAt) track.faultAt = at
    return
  }
  const weight = fact.fact === 'audit' || fact.weight >= 1 ? 1 : fact.weight
  if (!(weight > 0)) return
  let left = 1
  if (at > track.at) {
    if (track.at >= 0) advance(track, at, params)
    track.at = at
  } else if (track.at - at >= params.forgetSeconds) return
  else left = decay(track.at - at, params.halfLifeSeconds)
  if (fact.fact === 'audit') {
    foldAudit(track, fact.passed, at, params)
    return
  }
  const bit = Math.round(weight * 1000)
  if (fact.fact === 'served') {
    track.s += weight * left
    track.served = Math.min(most, track.served + bit)
    track.inRow = Math.round((track.inRow * (1000 - bit)) / 1000)
    track.firstUs = meanUs(track.firstUs, fact.firstMs, weight, params)
    track.tokenUs = meanUs(track.tokenUs, fact.perTokenMs, weight, params)
  } else track.f += weight * left
  // What fails after an ejection was sent before it.
  if (isEjected(track, params, at)) return
  track.tried += bit
  if (fact.fact === 'failed') {
    track.inRow += bit
    track.missed += bit
    if (fails(track, params)) eject(track, at)
  }
  // Of late: whoever was tried often enough twice over is judged by the newer half.
  if (track.tried >= 2000 * params.failRateOver) {
    track.tried >>= 1
    track.missed >>= 1
  }
}

/** What a node may be trusted with at `now`, unix seconds. `letOff`: its pool has no room for one more ejection. */
export function stageOf(track: Track, params: Params, now: number, letOff = false): Stage {
  if (track.faultAt >= 0) return 'banned'
  if (track.at < 0 || now - track.at >= params.forgetSeconds) return 'new'
  if (!letOff && isEjected(track, params, now)) return 'ejected'
  return track.streak - (letOff ? 0 : track.mark) >= params.probationJobs ? 'proven' : 'probation'
}

/** Whether it is out for not answering: the n-th time for n times the least. */
export const isEjected = (track: Track, params: Params, now: number): boolean =>
  track.ejectedAt >= 0 && now < track.ejectedAt + params.ejectSeconds * track.ejections

/** Jobs served and not yet forgotten, by weight. */
export const jobsOf = (track: Track): number => Math.floor(track.served / 1000)

/** What is left of a run of audits after idle weeks. */
export const afterIdle = (run: number, params: Params): number => Math.min(run, Math.round(1 / params.idleAudit))

/** Sums of passed (low 20 bits) and failed audits that are not forgotten at `now`. */
export function auditsAt(track: Track, params: Params, now: number): number {
  if (track.window < 0) return 0
  const age = windowOf(now, params) - track.window
  let sum = track.audits0
  if (age < 3) sum += track.audits1
  if (age < 2) sum += track.audits2
  if (age < 1) sum += track.audits3
  return age > 3 ? 0 : sum
}

const most = 0x3fff_ffff

/** One failed audit in the packed count of a window. */
export const oneFailed = 2 ** 20

/** Three windows fill the time after which all is forgotten, so an audit counts that long whole and a third longer at most. */
const windowOf = (at: number, params: Params): number => Math.floor((at * 3) / params.forgetSeconds)

function advance(track: Track, at: number, params: Params): void {
  if (at - track.at >= params.forgetSeconds) {
    track.s = track.f = 0
    track.served = track.streak = track.mark = track.run = 0
    track.firstUs = track.tokenUs = 0
    track.inRow = track.tried = track.missed = 0
    track.ejections = 0
    track.ejectedAt = -1
    return
  }
  if (at - track.at >= params.idleSeconds) track.run = afterIdle(track.run, params)
  const left = decay(at - track.at, params.halfLifeSeconds)
  track.s *= left
  track.f *= left
}

function foldAudit(track: Track, passed: boolean, at: number, params: Params): void {
  const window = windowOf(at, params)
  if (track.window < window - 4) {
    track.audits0 = track.audits1 = track.audits2 = track.audits3 = 0
    track.window = window
  }
  for (; track.window < window; track.window++) {
    track.audits3 = track.audits2
    track.audits2 = track.audits1
    track.audits1 = track.audits0
    track.audits0 = 0
  }
  const age = track.window - window
  if (age === 0) track.audits0 = counted(track.audits0, passed)
  else if (age === 1) track.audits1 = counted(track.audits1, passed)
  else if (age === 2) track.audits2 = counted(track.audits2, passed)
  else if (age === 3) track.audits3 = counted(track.audits3, passed)
  if (passed) {
    if (track.streak < most) track.streak++
    if (track.run < most) track.run++
    if (track.streak - track.mark === params.probationJobs) track.ejections = 0
  } else track.streak = track.mark = track.run = 0
}

/** A count that stops at its most, so that four windows together never run into the count beside it. */
function counted(packed: number, passed: boolean): number {
  if (passed) return packed % oneFailed < oneFailed / 4 - 1 ? packed + 1 : packed
  return packed < 255 * oneFailed ? packed + oneFailed : packed
}

/** Running mean in microseconds; who counts less moves it less. A first measurement counts whole. */
function meanUs(old: number, ms: number | undefined, weight: number, params: Params): number {
  if (ms === undefined || !(ms > 0)) return old
  const us = Math.min(most, Math.max(1, Math.round(ms * 1000)))
  return old === 0 ? us : Math.max(1, Math.round(old + (us - old) * params.ewma * weight))
}

const fails = (track: Track, params: Params): boolean =>
  track.inRow >= 1000 * params.failStreak ||
  (track.tried >= 1000 * params.failRateOver && track.missed > params.failRate * track.tried)

function eject(track: Track, at: number): void {
  track.ejections++
  track.ejectedAt = at
  track.mark = track.streak
  track.inRow = track.tried = track.missed = 0
}
