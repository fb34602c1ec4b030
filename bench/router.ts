/**
 * What a router adds to the price of a signature: the same events only verified, and verified, folded into directory and
 * ledger and scored; and how long one decision among 100,000 known nodes takes.
 * @module
 */
import {
  type Attestation,
  benchmark,
  type Event,
  handler,
  heartbeat,
  nodeState,
  present,
  usageReceipt,
} from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { openIntake } from '../src/intake.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import { defaultParams, labelEntry, openDirectory, openLedger } from '../src/ledger/index.ts'
import { type Candidate, decide, openDice, openMarket, openPolicy, type Wants } from '../src/routing/index.ts'
import { type Bench, type BenchOptions, type Figures, numberOf } from './bench.ts'
import { quantile, rounded, shuffled } from './statistics.ts'

const kind = 5050
const model = 'nano'
const begin = 1_800_000_000
const plans = {
  full: { nodes: 400, rounds: 12, known: 100_000, decisions: 4_000 },
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

/** Jobs of a node that it publishes a receipt of. */
const jobs = 5

/** What relays bring: nodes announce, lease and measure themselves, and say what they did. */
function eventsOf(keys: Keys, nodes: number): Event[] {
  const customer = keys.publicKey(keys.newSecret())
  const crew = Array.from({ length: nodes }, () => keys.newSecret())
  return crew.flatMap((secret, i) => {
    const node = keys.publicKey(secret)
    const sign = (template: Parameters<Keys['sign']>[0]) => keys.sign(template, secret)
    const announced = {
      ...{ id: 'text', kinds: [kind], topics: ['ai'], name: `node ${i}`, about: 'Answers.', encrypted: true, v: 1 },
      ...{ models: [{ name: model, contextTokens: 512 }], nodeKeys: [], zappers: [], custodial: false, relays: [] },
      priceMsats: 1_000n + BigInt(i),
    }
    const lease = (at: number, busy: number) =>
      nodeState.write(
        {
          ...{ service: 'text', kinds: [kind], generation: begin, expiresAt: at + 180 },
          ...{ slots: { total: 4, busy, queued: 0 }, prices: [{ kind, model, msats: 1_000n, unit: 'job' }] },
        },
        at,
      )
    const measured = { node, kind, model, profile: 'chat-64', firstMs: 40, tokensPerSecond: 30, samples: 8, at: begin }
    const receipt = (seq: number, prev: string | undefined) => ({
      ...{
        job: sha256Hex(`job ${i} ${seq}`),
        customer,
        kind,
        model,
        msats: 1_000n,
        promptTokens: 20,
        outputTokens: 64,
      },
      ...{ firstMs: 40 + seq, ms: 900, payments: [{ hash: sha256Hex(`hash ${i} ${seq}`), msats: 1_000n }], seq },
      ...(prev === undefined ? {} : { prev }),
    })
    const receipts: Event[] = []
    for (let seq = 0; seq < jobs; seq++)
      receipts.push(sign(usageReceipt.write(receipt(seq, receipts.at(-1)?.id), begin + seq)))
    return [
      sign(handler.write(announced, begin)),
      sign(heartbeat.write({ service: 'text', status: '', expiresAt: begin + 300, text: '' }, begin)),
      sign(lease(begin, 0)),
      sign(lease(begin + 1, 1)),
      sign(benchmark.write(measured, begin)),
      ...receipts,
    ]
  })
}
/** Everything between the relay and the market: admitted, folded, and who it is about is scored anew. */
function openRouter(keys: Keys) {
  const clock = handClock((begin + 60) * 1000)
  const { admit } = openIntake({
    ...{ verify: keys.signed, clock, windowSeconds: { past: 3_600, ahead: 3_600 } },
    kinds: [handler, heartbeat, nodeState, benchmark, usageReceipt].map(({ number }) => number),
  })
  const directory = openDirectory()
  const ledger = openLedger(defaultParams)
  const market = openMarket()
  const score = (node: string, at: number) => {
    const entry = directory.get(node)
    if (!entry) return
    const { score, factors, stage } = ledger.standing(node, kind, model, { at, stakeUnits: 0, stakeRef: 0 })
    const { announcement, state, status } = entry
    market.set({
      ...{ node, service: announcement.id, model, msats: Number(announcement.priceMsats ?? 0n), score, factors, stage },
      ...{ status, inflight: state?.slots.busy ?? 0, slots: state?.slots.total ?? Number.POSITIVE_INFINITY },
      ...{ privacy: [0, 1], terms: announcement.terms ?? [] },
    })
  }
  return {
    market,
    ledger,
    hear(raw: Event): void {
      const event = admit(raw, 'wss://relay.example')
      if (!event) throw new Error(`an event of kind ${raw.kind} was not admitted`)
      directory.heard(event, begin + 60)
      if (event.kind === usageReceipt.number) {
        const receipt = usageReceipt.read(event)
        if (!receipt.ok) throw new Error(receipt.says)
        const { job, customer, kind, model = '', firstMs = 0, ms, outputTokens } = receipt.value
        const label: Attestation = {
          ...{
            topic: 'outcome',
            label: 'served',
            node: event.pubkey,
            job,
            evidence: [event.id],
            customer,
            kind,
            model,
          },
          ...{ checks: [], failed: [], firstMs, ms, outputTokens, weight: 1, at: event.created_at, says: '' },
          ...{ seq: ledger.seq + 1, prev: ledger.id },
        }
        const fault = ledger.fold(labelEntry(event.id, label))
        if (fault) throw new Error(`the chain breaks: ${fault}`)
      }
      score(event.pubkey, begin + 60)
    },
  }
}

async function folding({ quick, progress }: BenchOptions): Promise<Figures> {
  const plan = plans[quick ? 'quick' : 'full']
  const keys = await openKeys()
  const events = eventsOf(keys, plan.nodes)
  progress(`router: ${events.length} events, ${plan.rounds} rounds of each side`)
  const verify = () => {
    for (const event of events) if (!keys.verify(event)) throw new Error('a signature does not hold')
  }
  const whole = () => {
    const { hear, market, ledger } = openRouter(keys)
    for (const event of events) hear(event)
    if (market.size !== plan.nodes || ledger.seq !== jobs * plan.nodes - 1) throw new Error('something was lost')
  }
  const sides = [
    { run: verify, ms: [] as number[] },
    { run: whole, ms: [] as number[] },
  ] as const
  // The first round warms up.
  for (let round = -1; round < plan.rounds; round++)
    for (const { run, ms } of shuffled(sides)) {
      const began = performance.now()
      run()
      if (round >= 0) ms.push(performance.now() - began)
    }
  const [bare, all] = sides.map(({ ms }) => quantile(ms, 0.5)) as [number, number]
  return {
    verifyratio: rounded(bare / all),
    events_per_second: rounded((events.length * 1000) / all),
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
