/**
 * An echo job, free of charge: ours against a bare loop that does what a correct pair of NIP-90 programs must do.
 * Three processes: the embedded relay, both nodes, both clients. The sides take turns in one run.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import type { Relays } from '../relays/index.ts'
import { chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import { type Bench, type BenchOptions, type Figures, numberOf } from './bench.ts'
import { startChild } from './child.ts'
import { openBareClient } from './echo-bare.ts'
import { quantile, rounded, shuffled, windowed } from './statistics.ts'

type Ask = () => Promise<unknown>

interface Side {
  readonly name: 'bare' | 'ours' | 'streamed'
  readonly ask: Ask
  readonly ms: number[]
  jobs: number
  jobsMs: number
}

const width = 16
const plans = {
  full: { warmUp: 1_000, rounds: 40, perRound: 20, bursts: 10, perBurst: 160 },
  quick: { warmUp: 3, rounds: 2, perRound: 5, bursts: 1, perBurst: 20 },
}

export const echo: Bench = {
  name: 'echo',
  says: 'An echo job (5050, 7000, 6050; sealed; embedded relay in memory) against a bare loop with the same crypto.',
  async run(options) {
    const keys = await openKeys()
    const children: ChildProcess[] = []
    const pools: Relays[] = []
    try {
      const relay = await start(children, 'relay')
      const url = relay['url'] ?? ''
      const nodes = await start(children, 'nodes', url)
      const relays = poolOn(url, keys)
      pools.push(relays)
      const bare = await openBareClient({ url, keys, secret: keys.newSecret() }, nodes['bare'] ?? '')
      const ours = await openOurs(relays, keys, nodes['ours'] ?? '')
      const sides: Side[] = [side('bare', checked(bare.ask)), ...ours]
      await measure(sides, options)
      bare.close()
      return { ...compare(sides), engine: keys.engine, inFlight: width }
    } finally {
      for (const pool of pools) await pool.close()
      for (const child of children) child.disconnect()
    }
  },
  rows(figures) {
    const get = (key: string) => numberOf(figures, key)
    const versus = 'bare loop = 1'
    return [
      { what: 'Echo job, p50', figure: `${get('p50ms')} ms`, against: `${get('p50ratio')} × (${versus})` },
      { what: 'Echo job, p99', figure: `${get('p99ms')} ms`, against: `${get('p99ratio')} × (${versus})` },
      {
        what: `Echo jobs per second, ${width} in flight`,
        figure: `${get('jobsPerSecond')}`,
        against: `${get('jobsratio')} × (${versus})`,
      },
      {
        what: 'Echo job with streaming, p50',
        figure: `${get('streamedP50ms')} ms`,
        against: `${get('streamedP50ratio')} × (${versus}, which does not stream)`,
      },
    ]
  },
}

const side = (name: Side['name'], ask: Ask): Side => ({ name, ask, ms: [], jobs: 0, jobsMs: 0 })

let asked = 0
/** A new question each time, and an error when its echo is another. */
const checked = (ask: (text: string) => Promise<string | undefined>) => async () => {
  const text = `What do you say to question number ${++asked}?`
  const answer = await ask(text)
  if (answer !== text) throw new Error(`asked "${text}", got "${answer}"`)
}

async function openOurs(relays: Relays, keys: Keys, pubkey: string): Promise<Side[]> {
  const clock = wallClock()
  const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 0n, to: pubkey })
  if (!choice.ok) throw new Error(choice.says)
  const { announcement } = choice.offer
  const client = openClient({ relays, keys, secret: keys.newSecret(), clock, network: 'regtest' })
  const ask = (stream: boolean) =>
    checked(async text => {
      const {
        ok,
        text: answer,
        says,
      } = await client.ask({ text, node: { pubkey, announcement }, capMsats: 0n, stream })
      return ok ? answer : says
    })
  return [side('ours', ask(false)), side('streamed', ask(true))]
}

async function measure(sides: readonly Side[], { quick, progress }: BenchOptions): Promise<void> {
  const plan = plans[quick ? 'quick' : 'full']
  for (const { ask } of sides) await windowed(plan.warmUp, width, ask)
  progress(`echo: ${plan.rounds * plan.perRound} jobs of each kind, one at a time`)
  for (let round = 0; round < plan.rounds; round++)
    for (const { ask, ms } of shuffled(sides))
      for (let i = 0; i < plan.perRound; i++) {
        const began = performance.now()
        await ask()
        ms.push(performance.now() - began)
      }
  progress(`echo: ${plan.bursts * plan.perBurst} jobs of each kind, ${width} in flight`)
  for (let burst = 0; burst < plan.bursts; burst++)
    for (const one of shuffled(sides)) {
      one.jobsMs += await windowed(plan.perBurst, width, one.ask)
      one.jobs += plan.perBurst
    }
}

function compare(sides: readonly Side[]): Figures {
  const of = (name: Side['name']) => {
    const { ms, jobs, jobsMs } = sides.find(one => one.name === name) ?? side(name, async () => {})
    return { p50: quantile(ms, 0.5), p99: quantile(ms, 0.99), jobs: (jobs * 1000) / jobsMs }
  }
  const [bare, ours, streamed] = [of('bare'), of('ours'), of('streamed')]
  const figures = {
    p50ratio: ours.p50 / bare.p50,
    p99ratio: ours.p99 / bare.p99,
    jobsratio: ours.jobs / bare.jobs,
    p50ms: ours.p50,
    p99ms: ours.p99,
    jobsPerSecond: ours.jobs,
    bareP50ms: bare.p50,
    bareP99ms: bare.p99,
    bareJobsPerSecond: bare.jobs,
    streamedP50ms: streamed.p50,
    streamedP99ms: streamed.p99,
    streamedJobsPerSecond: streamed.jobs,
    streamedP50ratio: streamed.p50 / bare.p50,
    streamedJobsratio: streamed.jobs / bare.jobs,
  }
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, rounded(value)]))
}

const start = async (children: ChildProcess[], ...args: string[]): Promise<Record<string, string>> =>
  (await startChild(children, new URL('./echo-parties.ts', import.meta.url), ...args)).ready

const poolOn = (url: string, keys: Keys): Relays => connectRelays({ urls: [url], keys, clock: wallClock() })
