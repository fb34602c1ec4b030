/**
 * What a simulation counts, and the payments that the one operator makes to itself.
 * @module
 */
import { type Params, scoreOf, stageOf, type TrackFact } from '../ledger/index.ts'
import { seededWalk } from '../ledger/walk.ts'
import type { Dice } from '../routing/index.ts'
import type { Population, Worker } from './population.ts'
import type { SimPoint, SimReport } from './sim.ts'

export interface BooksOptions {
  readonly params: Params
  /** Honest customers; the operator's own come after them. */
  readonly customers: number
  readonly population: Population
  readonly chance: Dice
}

export interface Books {
  /** Of the nodes that have worked; 0 before any has. */
  readonly medianFirstMs: number
  readonly medianPerTokenMs: number
  /** A customer has its answer. */
  answered(worker: Worker, customer: number, junk: boolean): void
  /** An answer was computed again. */
  audited(): void
  /** A newcomer answered in a trial. */
  tried(): void
  unanswered(): void
  graduated(worker: Worker): void
  ejected(worker: Worker): void
  caught(worker: Worker): void
  /** Medians anew, and a day of the operator's payments to itself, told as facts with the weight that the walk gives them. */
  day(crowd: readonly Worker[], now: number, hear: (worker: Worker, fact: TrackFact) => void): void
  point(day: number, proven: number, workers: Iterable<Worker>): SimPoint
  report(workers: Iterable<Worker>): Omit<SimReport, 'jobs' | 'days' | 'curve'>
}

/** Keys with which the operator pays itself, nodes that it pays a day, and payments to each. */
const ownPayers = 50
const ownNodes = 1000
const ownPayments = 20
/** Of its payments, so many go to honest nodes, to be reached from them. */
const camouflage = 0.01
/** Every so many days the walk is walked anew. */
const walkDays = 5
const seeds = 20
/** Points of the curve that are the last fifth. */
const lateWindows = 4

export function openBooks({ params, customers, population, chance }: BooksOptions): Books {
  const paid = new Map<number, number>()
  const places = new Map<string, number>()
  const points = { answers: 0, trials: 0, junk: 0, audits: 0 }
  const total = { answers: 0, trials: 0, junk: 0, audits: 0, unanswered: 0, msats: 0, cheated: 0 }
  const count = { graduates: 0, honest: 0, caught: 0, trusted: 0, honestCaught: 0, honestEjections: 0 }
  let now = 0
  let days = 0
  const lately: { junk: number; answers: number }[] = []
  let weights: Float64Array | undefined
  const medians = { firstMs: 0, perTokenMs: 0 }

  const pay = (payer: number, worker: Worker, msats: number) => {
    let place = places.get(worker.name)
    if (place === undefined) {
      place = places.size
      places.set(worker.name, place)
    }
    const edge = place * 1024 + payer
    paid.set(edge, (paid.get(edge) ?? 0) + msats)
    worker.received += msats
  }

  function walk(): Float64Array {
    const graph = {
      ...{ payers: customers + ownPayers, nodes: places.size },
      payer: Uint32Array.from(paid.keys(), edge => edge % 1024),
      node: Uint32Array.from(paid.keys(), edge => Math.floor(edge / 1024)),
      amount: Float64Array.from(paid.values()),
    }
    const known = Array.from({ length: seeds }, (_, i) => i)
    return seededWalk(graph, known, params).weights
  }

  const scoreNow = (worker: Worker) =>
    scoreOf(
      worker.track,
      {
        at: Math.floor(now / 60) * 60,
        ...{ medianFirstMs: medians.firstMs, medianPerTokenMs: medians.perTokenMs, stakeUnits: 0, stakeRef: 0 },
      },
      params,
    ).score

  return {
    get medianFirstMs() {
      return medians.firstMs
    },
    get medianPerTokenMs() {
      return medians.perTokenMs
    },
    audited() {
      points.audits++
      total.audits++
    },
    tried() {
      points.trials++
      total.trials++
    },
    answered(worker, customer, junk) {
      for (const sum of [points, total]) {
        sum.answers++
        if (junk) sum.junk++
      }
      total.msats += worker.msats
      if (worker.behaviour !== 'honest') total.cheated += worker.msats
      pay(customer, worker, worker.msats)
    },
    unanswered() {
      total.unanswered++
    },
    graduated({ behaviour }) {
      count.graduates++
      if (behaviour === 'honest') count.honest++
    },
    ejected({ behaviour }) {
      if (behaviour === 'honest') count.honestEjections++
    },
    caught({ behaviour, graduatedAt }) {
      if (behaviour === 'honest') count.honestCaught++
      else count.caught++
      if (behaviour !== 'honest' && graduatedAt >= 0) count.trusted++
    },
    day(crowd, at, hear) {
      now = at
      const worked = crowd.filter(({ track }) => track.firstUs > 0)
      medians.firstMs = median(worked.map(({ track }) => track.firstUs / 1000))
      medians.perTokenMs = median(worked.map(({ track }) => track.tokenUs / 1000))
      const own = crowd.filter(({ behaviour }) => behaviour === 'sybil').slice(0, ownNodes)
      if (days++ % walkDays === 0 || weights === undefined) weights = walk()
      for (const worker of own)
        for (let i = 0; i < ownPayments; i++) {
          const payer = customers + Math.floor(chance.next() * ownPayers)
          const cover = crowd[Math.floor(chance.next() * crowd.length)]
          if (chance.next() < camouflage && cover) pay(payer, cover, cover.msats)
          else {
            pay(payer, worker, worker.msats * 100)
            hear(worker, { fact: 'served', at, weight: weights[payer] ?? 0 })
          }
        }
    },
    point(day, proven, workers) {
      const { answers, trials, junk, audits } = points
      lately.push({ junk, answers })
      points.answers = points.trials = points.junk = points.audits = 0
      let honestProven = 0
      for (const worker of workers)
        if (worker.behaviour === 'honest' && stageOf(worker.track, params, now) === 'proven') honestProven++
      return {
        day: rounded(day),
        junk: share(junk, answers),
        audits: share(audits, answers + trials),
        proven,
        honestProven,
      }
    },
    report(workers) {
      const all = [...workers].filter(({ offered }) => offered)
      const late = lately.slice(-lateWindows)
      const sum = (of: 'junk' | 'answers') => late.reduce((all, one) => all + one[of], 0)
      const proven = all.filter(({ track }) => stageOf(track, params, now) === 'proven')
      const scored = proven.map(worker => ({ worker, score: scoreNow(worker) }))
      const byScore = scored.sort((a, b) => b.score - a.score || (a.worker.name < b.worker.name ? -1 : 1))
      const byVolume = all.toSorted((a, b) => b.received - a.received || (a.name < b.name ? -1 : 1))
      const ours = (best: readonly Worker[]) =>
        best.slice(0, 100).filter(({ behaviour }) => behaviour === 'sybil').length / 100
      const work = all.filter(({ behaviour, graduatedAt }) => behaviour === 'honest' && graduatedAt >= 0)
      return {
        junk: share(total.junk, total.answers),
        junkLately: share(sum('junk'), sum('answers')),
        auditOverhead: share(total.audits, total.answers + total.trials),
        honestGraduated: share(count.honest, population.honest),
        sybilsInTop100: ours(byScore.map(({ worker }) => worker)),
        sybilsInTop100ByVolume: ours(byVolume),
        graduates: count.graduates,
        honestGraduates: count.honest,
        junkPerCaught: count.trusted > 0 ? rounded(total.junk / count.trusted) : 0,
        caught: count.caught,
        honestCaught: count.honestCaught,
        honestEjections: count.honestEjections,
        paidToCheats: share(total.cheated, total.msats),
        gini: gini(work.map(({ served }) => served)),
        unanswered: share(total.unanswered, total.unanswered + total.answers),
      }
    },
  }
}

const rounded = (value: number): number => Math.round(value * 1e5) / 1e5
const share = (part: number, whole: number): number => (whole > 0 ? rounded(part / whole) : 0)

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  return values[values.length >> 1] ?? 0
}

function gini(values: number[]): number {
  values.sort((a, b) => a - b)
  const sum = values.reduce((all, value) => all + value, 0)
  const ranked = values.reduce((all, value, i) => all + (i + 1) * value, 0)
  return sum > 0 ? rounded((2 * ranked) / (values.length * sum) - (values.length + 1) / values.length) : 0
}
