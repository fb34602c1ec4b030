/**
 * A paid echo job over real Lightning against the payment alone: the same wallets, the same NIP-47 connections, the same
 * run. Four processes: the embedded relay, the wallets, the node, the client; each keeps its journal on the disk.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { openJournal } from '../src/journal/index.ts'
import { openKeys } from '../src/keys.ts'
import { nwcWallet } from '../src/payments/nwc.ts'
import type { Payer } from '../src/payments/payment.ts'
import { openSeal } from '../src/seal.ts'
import { type Bench, type BenchOptions, type Figures, numberOf } from './bench.ts'
import { type Child, ended, startChild } from './child.ts'
import { divided, journeys, now, openMeter, type Seen, type Span } from './paid-meter.ts'
import type { Invoice, Question } from './paid-parties.ts'
import { quantile, rounded, shuffled, windowed } from './statistics.ts'

const priceMsats = 2_000n
const width = 8
const plans = {
  full: { warmUp: 60, rounds: 80, perRound: 5, bursts: 6, perBurst: 40 },
  quick: { warmUp: 2, rounds: 2, perRound: 3, bursts: 1, perBurst: 8 },
}

interface Side {
  readonly name: 'job' | 'wallet'
  /** Milliseconds of one, as they count. */
  readonly run: () => Promise<number>
  readonly ms: number[]
  count: number
  burstMs: number
}

/** One answer of a party. */
const askFor = async <T>(child: Child, ask: Question['ask']): Promise<T> => (await child.ask<{ says: T }>({ ask })).says

export const paid: Bench = {
  name: 'paid',
  says: 'A paid echo job (Lightning by LDK, wallets over NIP-47, journals on disk) against making and paying its invoice.',
  async run(options) {
    const dir = mkdtempSync(join(tmpdir(), 'gridstr-paid-'))
    const children: ChildProcess[] = []
    const close: (() => unknown)[] = []
    try {
      return await bench(options, dir, children, close)
    } finally {
      for (const one of close.reverse()) await one()
      for (const child of children) await ended(child)
      rmSync(dir, { recursive: true, force: true })
    }
  },
  rows(figures) {
    const get = (key: string) => numberOf(figures, key)
    const versus = 'its payment alone = 1'
    return [
      { what: 'Paid job, p50', figure: `${get('job_p50_ms')} ms`, against: `${get('p50ratio')} × (${versus})` },
      { what: 'Paid job, p99', figure: `${get('job_p99_ms')} ms`, against: `${get('p99ratio')} × (${versus})` },
      {
        what: `Paid jobs per second, ${width} in flight`,
        figure: `${get('jobsPerSecond')}`,
        against: `${get('jobsratio')} × (payments alone = 1)`,
      },
    ]
  },
}

async function bench(
  options: BenchOptions,
  dir: string,
  children: ChildProcess[],
  close: (() => unknown)[],
): Promise<Figures> {
  const clock = wallClock()
  const meter = openMeter()
  const keys = meter.keys(await openKeys())
  const { url = '' } = (await start(children, 'relay')).ready
  const wallets = await start(children, 'wallets', url, dir)
  const node = await start(children, 'node', url, dir, wallets.ready['payee'] ?? '')

  const open = () => {
    const relays = meter.relays(connectRelays({ urls: [url], keys, clock }))
    close.push(relays.close)
    return relays
  }
  const seal = (secret: Uint8Array) => openSeal({ keys, secret })
  const wallet = nwcWallet({ uri: wallets.ready['payer'] ?? '', relays: open(), clock, keys, seal })
  close.push(wallet.close)
  const payer: Payer = { ...wallet, pay: (order, signal) => meter.until('wallet', wallet.pay(order, signal)) }
  const journal = openJournal(join(dir, 'client.db'))
  close.push(journal.close)
  const relays = open()
  const { pubkey = '' } = node.ready
  const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: priceMsats, to: pubkey })
  if (!choice.ok) throw new Error(choice.says)
  const { announcement } = choice.offer
  const parts = { relays, keys, secret: keys.newSecret(), clock, payer, network: 'regtest' } as const
  const client = openClient({ ...parts, journal: meter.journal(journal) })

  const jobs: { from: number; to: number }[] = []
  const whole: number[] = []
  let asked = 0
  const job = async () => {
    const text = `What do you say to question number ${++asked}?`
    const from = now()
    let to = from
    const outcome = await client.ask({
      ...{ text, node: { pubkey, announcement }, capMsats: priceMsats, stream: false },
      onEvent({ event }) {
        if (event === 'paid' || event === 'chunk') to = now()
      },
    })
    if (outcome.text !== text || outcome.msats !== priceMsats || !outcome.receipt)
      throw new Error(`asked "${text}", got ${outcome.text ?? outcome.says}, receipt ${outcome.receipt?.id}`)
    jobs.push({ from, to })
    whole.push(now() - from)
    return to - from
  }
  const pay = async () => {
    const { bolt11, hash, ms } = await askFor<Invoice>(node, 'invoice')
    const from = now()
    const state = await payer.pay({ bolt11, hash, msats: priceMsats })
    if (state.state !== 'paid') throw new Error(`the wallet says ${state.state}`)
    return ms + now() - from
  }
  const side = (name: Side['name'], run: Side['run']): Side => ({ name, run, ms: [], count: 0, burstMs: 0 })
  const sides = { job: side('job', job), wallet: side('wallet', pay) }

  const plan = plans[options.quick ? 'quick' : 'full']
  for (const { run } of shuffled(Object.values(sides))) await windowed(plan.warmUp, 2, run)
  const seen = async () => [meter.seen(), await askFor<Seen>(node, 'seen'), await askFor<Seen>(wallets, 'seen')]
  await seen()
  jobs.length = 0
  whole.length = 0
  options.progress(`paid: ${plan.rounds * plan.perRound} jobs and as many payments, one at a time`)
  const spans: Span[] = []
  for (let round = 0; round < plan.rounds; round++) {
    for (const { run, ms } of shuffled(Object.values(sides)))
      for (let i = 0; i < plan.perRound; i++) ms.push(await run())
    const parties = await seen()
    spans.push(...journeys(parties), ...parties.slice(0, 2).flatMap(party => party.spans))
  }
  const shares = divided(jobs, spans)
  const wholeP50 = quantile(whole, 0.5)
  options.progress(`paid: ${plan.bursts * plan.perBurst} jobs and as many payments, ${width} in flight`)
  for (let burst = 0; burst < plan.bursts; burst++)
    for (const one of shuffled(Object.values(sides))) {
      one.burstMs += await windowed(plan.perBurst, width, one.run)
      one.count += plan.perBurst
    }
  return { ...compare(sides), receipt_p50_ms: rounded(wholeP50), shares, inFlight: width }
}

function compare({ job, wallet }: Record<Side['name'], Side>) {
  const of = ({ ms, count, burstMs }: Side) => ({
    p50: quantile(ms, 0.5),
    p99: quantile(ms, 0.99),
    perSecond: (count * 1000) / burstMs,
  })
  const [jobs, payments] = [of(job), of(wallet)]
  const figures = {
    p50ratio: jobs.p50 / payments.p50,
    p99ratio: jobs.p99 / payments.p99,
    job_p50_ms: jobs.p50,
    wallet_p50_ms: payments.p50,
    job_p99_ms: jobs.p99,
    wallet_p99_ms: payments.p99,
    jobsratio: jobs.perSecond / payments.perSecond,
    jobsPerSecond: jobs.perSecond,
    walletPerSecond: payments.perSecond,
  }
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, rounded(value)]))
}

const start = (children: ChildProcess[], ...args: string[]): Promise<Child> =>
  startChild(children, new URL('./paid-parties.ts', import.meta.url), ...args)
