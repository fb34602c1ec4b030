/**
 * One run: customers ask, the router decides, nodes work or cheat, audits are drawn, tracks are folded, newcomers come
 * through the cohort. Everything that decides is the code of the ledger and routing rooms.
 * @module
 */
import { textRequest } from '../../kinds/index.ts'
import { sha256Hex } from '../hash.ts'
import { openCohort } from '../ledger/cohort.ts'
import { letOff } from '../ledger/ejections.ts'
import { auditShare, defaultParams, drawn, fold, isEjected, scoreOf, stageOf, type TrackFact } from '../ledger/index.ts'
import { decide, openDice, openMarket, type Policy, policies, type Wants } from '../routing/index.ts'
import { openBooks } from './books.ts'
import { openPopulation, type Worker, workOf } from './population.ts'
import { jobsFor, type SimOptions, type SimPoint, type SimReport } from './sim.ts'

const begin = 1_800_000_000
const points = 20
const tickSeconds = 3600
/** Newcomers that wait in the router's own queue; who comes later knocks again. */
const waitingMost = 256
/** A customer tries so many of the named nodes. */
const mostTries = 3
const customers = 200
const leaseSeconds = 180
const outMs = 60

/**
 * Runs a simulation, a piece at a time: yields the share that is done, so that whoever runs it can show it and stop.
 * Throws `RangeError` for shares that are none and policies that are not there.
 */
export function* simulate(options: SimOptions): Generator<number, SimReport> {
  const { params = defaultParams, days = 30, churn = 0.05, loss = 0.01 } = options
  const jobs = options.jobs ?? jobsFor(options.nodes)
  const policy = policyOf(options.policy ?? 'default')
  for (const name of ['bad', 'traitors', 'sybils'] as const)
    if (!(options[name] >= 0 && options[name] <= 1))
      throw new RangeError(`${name} ${options[name]}: a share is from 0 to 1.`)
  const base = sha256Hex(`gridstr market ${options.seed}`)
  // The world's chances and the router's seeds are apart: a change of policy meets the same world.
  const chance = openDice(base, sha256Hex('world'))
  const population = openPopulation(options, chance)
  const market = openMarket()
  const cohort = openCohort(params.cohort)
  const workers = new Map<string, Worker>()
  const books = openBooks({ params, customers, population, chance })
  const ejected = new Map<string, Worker>()
  let spared: ReadonlySet<string> = new Set()
  const curve: SimPoint[] = []
  const lengthSeconds = days * 86_400
  const wants: Wants = {
    kind: textRequest.number,
    capMsats: Number.POSITIVE_INFINITY,
    privacy: 0,
    allow: [],
    deny: [],
    explore: false,
  }
  let now = begin
  let due = 0

  const enlist = () => {
    while (cohort.size < params.cohort || cohort.waiting < waitingMost) {
      const worker = population.next()
      if (!worker) return
      workers.set(worker.name, worker)
      cohort.ask({ node: worker.name, bondUnits: 0, powBits: 0, at: now })
    }
  }
  const show = () => {
    for (const name of cohort.members()) {
      const worker = workers.get(name)
      if (worker && !worker.offered) offer(worker)
    }
  }

  const stageNow = (worker: Worker) => stageOf(worker.track, params, now, spared.has(worker.name))

  function offer(worker: Worker): void {
    const at = Math.floor(now / 60) * 60
    const stage = stageNow(worker)
    const { medianFirstMs, medianPerTokenMs } = books
    const around = { at, medianFirstMs, medianPerTokenMs, stakeUnits: 0, stakeRef: 0 }
    const { score, factors } = scoreOf(worker.track, around, params)
    const { name: node, msats } = worker
    const status = now >= worker.awayUntil || now < worker.awayUntil - leaseSeconds ? 'alive' : 'unknown'
    worker.offered = true
    market.set({
      ...{ node, service: 'sim', msats, score, factors, stage, status },
      ...{ inflight: 0, slots: Number.POSITIVE_INFINITY, privacy: noPrivacy, terms: noTerms, cohort: cohort.has(node) },
    })
  }

  /** The router hears a fact, or it is lost on its way. */
  function hear(worker: Worker, fact: TrackFact): void {
    if (chance.next() < loss) return
    const before = worker.track.ejections
    fold(worker.track, fact, params)
    const stage = stageNow(worker)
    if (stage === 'proven' && worker.graduatedAt < 0) {
      worker.graduatedAt = now
      books.graduated(worker)
    }
    if (stage !== 'probation' && stage !== 'new' && cohort.has(worker.name)) cohort.leave(worker.name)
    if (worker.track.ejections > before) {
      ejected.set(worker.name, worker)
      books.ejected(worker)
    }
    offer(worker)
  }

  /** Who is caught has no use for this key any more. */
  function quit(worker: Worker): void {
    books.caught(worker)
    cohort.leave(worker.name)
    market.remove(worker.name)
    if (worker.behaviour === 'honest') {
      cohort.ask({ node: worker.name, bondUnits: 0, powBits: 0, at: now })
      return
    }
    workers.delete(worker.name)
    ejected.delete(worker.name)
    population.comeBack(worker)
  }

  /** One piece of work by one node, told to the router; `undefined` when nothing came back. */
  function assign(worker: Worker, result: string, share: number): { junk: boolean } | undefined {
    const work = now < worker.awayUntil ? 'nothing' : workOf(worker, chance)
    if (work === 'nothing') {
      hear(worker, { fact: 'failed', at: now, weight: 1 })
      if (worker.behaviour === 'silent' && worker.track.ejections > 1) quit(worker)
      return undefined
    }
    worker.served++
    const noise = 0.8 + 0.4 * chance.next()
    const { firstMs, perTokenMs } = worker
    const speed = { firstMs: outMs + firstMs * noise, perTokenMs: perTokenMs * noise }
    hear(worker, { fact: 'served', at: now, weight: 1, ...speed })
    const junk = work === 'junk'
    if (drawn(result, base, share)) {
      books.audited()
      hear(worker, { fact: 'audit', at: now, passed: !junk })
      if (junk) quit(worker)
    }
    return { junk }
  }

  function ask(job: number): void {
    const request = job.toString(16).padStart(64, '0')
    const decision = decide(market, wants, policy, openDice(base, request), params)
    const customer = Math.floor(chance.next() * customers)
    // Newcomers prove themselves in trials that the router's auditor asks for; while nobody is proven, all the time.
    due += decision.lane === 'bootstrap' ? 1 : params.explore
    for (const [tried, name] of decision.order.slice(0, mostTries).entries()) {
      const worker = workers.get(name)
      if (!worker) continue
      const stage = stageNow(worker)
      if (stage === 'proven') worker.trusted++
      const share = auditShare(worker.track, stage, 0, params, now)
      const answer = assign(worker, sha256Hex(request + tried), share)
      if (!answer) continue
      books.answered(worker, customer, answer.junk)
      return
    }
    books.unanswered()
  }

  /** The next trial goes to whoever has waited longest in the cohort. */
  function trial(): void {
    const [senior] = cohort.members()
    const worker = senior === undefined ? undefined : workers.get(senior)
    if (worker && assign(worker, base, 1)) books.tried()
  }

  function tick(hour: number): void {
    const crowd = [...workers.values()].filter(({ offered }) => offered)
    for (const worker of crowd)
      if (worker.behaviour === 'honest' && now >= worker.awayUntil && chance.next() < (churn * tickSeconds) / 86_400)
        worker.awayUntil = now + leaseSeconds + Math.floor(chance.next() * 12) * tickSeconds
    for (const [name, { track }] of ejected)
      if (!isEjected(track, params, now)) {
        ejected.delete(name)
        // Whoever comes back from an ejection has to prove itself again.
        if (stageOf(track, params, now) === 'probation') cohort.ask({ node: name, bondUnits: 0, powBits: 0, at: now })
      }
    spared = letOff(
      [...ejected].map(([name, { track }]) => [name, track] as const),
      market.size,
      params,
      now,
    )
    if (hour % 24 === 0) books.day(crowd, now, hear)
    for (const worker of crowd) if (workers.has(worker.name)) offer(worker)
  }

  let ticked = 0
  for (let job = 0; job < jobs; job++) {
    now = begin + Math.floor((job / jobs) * lengthSeconds)
    while (begin + ticked * tickSeconds <= now) tick(ticked++)
    enlist()
    show()
    ask(job)
    for (; due >= 1; due--) trial()
    if ((job + 1) % Math.ceil(jobs / points) === 0 || job === jobs - 1)
      curve.push(books.point((now - begin) / 86_400, market.proven, workers.values()))
    if (job % 2000 === 1999) yield (job + 1) / jobs
  }
  return { ...books.report(workers.values()), jobs, days, curve }
}

function policyOf(name: string): Policy {
  const policy = policies.get(name)
  if (policy) return policy
  throw new RangeError(`There is no policy "${name}". There are: ${[...policies.keys()].join(', ')}.`)
}

const noPrivacy = [0] as const
const noTerms = [] as const
