/**
 * What a router adds to the price of a signature: the same events only verified, and verified, folded into directory and
 * ledger and scored; and how long one decision among 100,000 known nodes takes.
 * @module
 */
import {
  attestation,
  benchmark,
  type Event,
  feedback,
  handler,
  heartbeat,
  nodeState,
  present,
  privacyLevels,
  textResult,
  usageReceipt,
} from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { openIntake } from '../src/intake.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import { defaultParams, labelEntry, openDirectory, openLedger } from '../src/ledger/index.ts'
import { type Candidate, decide, openDice, openMarket, openPolicy, type Wants } from '../src/routing/index.ts'
import { type Bench, type BenchOptions, type Figures, numberOf } from './bench.ts'
import { openBare } from './router-bare.ts'
import { begin, eventsOf, kind, labelsOf, model } from './router-events.ts'
import { quantile, rounded, shuffled } from './statistics.ts'

/** Events that one side gets before the other one's turn. */
const portion = 100
const plans = {
  full: { nodes: 100, rounds: 16, known: 100_000, decisions: 4_000 },
  quick: { nodes: 20, rounds: 2, known: 2_000, decisions: 50 },
}

export const router: Bench = {
  name: 'router',
  says: 'Events that one core of a router verifies, folds and scores, against verifying them alone; one decision among 100,000 nodes.',
  async run(options) {
    return { ...(await folding(options)), ...deciding(options) }
  },
  rows(figures) {
    const get = (key: string) => numberOf(figures, key)
    return [
      {
        what: 'Events a second that a router core verifies, folds and scores',
        figure: `${get('events_per_second')}`,
        against: `${get('verifyratio')} × (verifying them alone = 1)`,
      },
      {
        what: `One routing decision among ${get('known').toLocaleString('en')} nodes, p99`,
        figure: `${get('route_p99_ms')} ms`,
        against: `p50 ${get('route_p50_ms')} ms`,
      },
    ]
  },
}

/** Everything between the relay and the market: admitted, folded, and whom it is about is scored anew. */
function openRouter(keys: Keys) {
  const clock = handClock((begin + 60) * 1000)
  const { admit } = openIntake({
    ...{ verify: keys.signed, clock, windowSeconds: { past: 3_600, ahead: 3_600 } },
    kinds: [handler, heartbeat, nodeState, benchmark, feedback, textResult, usageReceipt, attestation].map(
      ({ number }) => number,
    ),
  })
  const directory = openDirectory()
  const ledger = openLedger(defaultParams)
  const market = openMarket()
  let metered = 0
  const score = (node: string, at: number) => {
    const entry = directory.get(node)
    if (!entry) return
    const { score, factors, stage } = ledger.standing(node, kind, model, { at, stakeUnits: 0, stakeRef: 0 })
    const { announcement, state, status } = entry
    market.set({
      ...{ node, service: announcement.id, model, msats: Number(announcement.priceMsats ?? 0n), score, factors, stage },
      ...{ status, inflight: state?.slots.busy ?? 0, slots: state?.slots.total ?? Number.POSITIVE_INFINITY },
      ...{ privacy: privacyLevels(announcement), terms: announcement.terms ?? [] },
    })
  }
  return {
    market,
    ledger,
    metered: () => metered,
    hear(raw: unknown): void {
      const event = admit(raw, 'wss://relay.example')
      if (!event) throw new Error('an event was not admitted')
      if (event.kind === attestation.number) {
        const read = attestation.read(event)
        const fault = read.ok ? ledger.fold(labelEntry(event.id, read.value)) : read.says
        if (!read.ok || fault) throw new Error(`a label does not follow: ${fault}`)
        score(read.value.node, begin + 60)
        return
      }
      // What only says that a node is there moves no score.
      const news = directory.heard(event, begin + 60)
      if (event.kind === usageReceipt.number) metered += usageReceipt.read(event).ok ? 1 : 0
      else if (news && event.kind !== feedback.number && event.kind !== textResult.number)
        score(event.pubkey, begin + 60)
    },
  }
}

/** Milliseconds of processor time of this process, all its threads, so that a busy machine does not count. */
function cpuMs(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

async function folding({ quick, progress }: BenchOptions): Promise<Figures> {
  const plan = plans[quick ? 'quick' : 'full']
  const keys = await openKeys()
  const texts = eventsOf(keys, plan.nodes).map(event => JSON.stringify(event))
  progress(`router: ${texts.length} events, ${plan.rounds} rounds of each side`)
  // The least that anybody does who believes no relay.
  const holds = openBare(keys)
  const verify = (event: Event) => {
    if (!holds(event)) throw new Error('a signature does not hold')
  }
  const samples: { bare: number; all: number; ratio: number }[] = []
  let before: ReturnType<typeof openRouter> | undefined
  // The first rounds warm up: code goes on getting faster for some ten thousand events.
  for (let round = -plan.rounds / 2; round < plan.rounds; round++) {
    const router = openRouter(keys)
    const sides = { bare: { hear: verify, ms: 0 }, all: { hear: router.hear, ms: 0 } }
    for (let at = 0; at < texts.length; at += portion)
      for (const side of shuffled(Object.values(sides))) {
        // Each side gets events that nobody has read yet; parsing them is in neither figure.
        const heard: Event[] = texts.slice(at, at + portion).map(text => JSON.parse(text))
        side.ms += cpuMs(() => heard.forEach(side.hear))
      }
    const { market, ledger, metered } = router
    const labels = labelsOf(plan.nodes)
    if (market.size !== plan.nodes || ledger.seq !== labels - 1 || metered() !== labels)
      throw new Error('something was lost')
    // What is optimised for a router is thrown away with the last one: one lives on, as outside of benches.
    before = router
    const [bare, all] = [sides.bare.ms, sides.all.ms]
    if (round >= 0) samples.push({ bare, all, ratio: bare / all })
  }
  if (!before) throw new Error('nothing was measured')
  const median = (key: 'bare' | 'all' | 'ratio') =>
    quantile(
      samples.map(sample => sample[key]),
      0.5,
    )
  const us = (ms: number) => (ms * 1_000) / texts.length
  return {
    verifyratio: rounded(median('ratio')),
    events_per_second: rounded(1_000_000 / us(median('all'))),
    bare_us: rounded(us(median('bare'))),
    whole_us: rounded(us(median('all'))),
    engine: keys.engine,
  }
}

function deciding({ quick, progress }: BenchOptions): Figures {
  const { known, decisions } = plans[quick ? 'quick' : 'full']
  progress(`router: ${decisions} decisions among ${known} nodes`)
  const market = openMarket()
  const factors = { R: 1, V: 1, Q: 1, T: 1, K: 1, L: 1 }
  for (let n = 0; n < known; n++) {
    const candidate: Candidate = {
      ...{
        node: sha256Hex(`node ${n}`),
        service: 'text',
        model,
        msats: 500 + (n % 1_000),
        score: (n % 97) / 97,
        factors,
      },
      ...{ stage: n % 9 === 0 ? 'probation' : 'proven', status: n % 7 === 0 ? 'unknown' : 'alive' },
      ...{ inflight: n % 4, slots: 4, privacy: [0, 1], region: n % 1_000 === 0 ? 'rare' : 'eu', terms: [] },
    }
    market.set(candidate)
  }
  const asked = { kind, model, privacy: 1, allow: [], deny: [], explore: true } as const
  const cases: Wants[] = [
    { ...asked, capMsats: 2_000 },
    { ...asked, capMsats: 900, minScore: 40 },
    { ...asked, capMsats: 2_000, region: 'rare' },
    { ...asked, capMsats: 499 },
  ]
  const policy = openPolicy()
  const ms: number[] = []
  const typical: number[] = []
  for (let n = -decisions / 10; n < decisions; n++) {
    const dice = openDice(sha256Hex('seed'), sha256Hex(`request ${n}`))
    const wants = cases[Math.abs(n) % cases.length] ?? present({ ...asked, capMsats: 2_000 })
    const began = performance.now()
    decide(market, wants, policy, dice, defaultParams)
    if (n < 0) continue
    ms.push(performance.now() - began)
    if (wants === cases[0]) typical.push(ms.at(-1) ?? 0)
  }
  return {
    route_p99_ms: rounded(quantile(ms, 0.99)),
    route_p50_ms: rounded(quantile(ms, 0.5)),
    route_typical_ms: rounded(quantile(typical, 0.5)),
    known,
  }
}
