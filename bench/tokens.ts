/**
 * Tokens per second through relay, node and client against a bare session of node-llama-cpp on the same model, prompt,
 * threads and machine, in the same run: with two questions under way on one seat, as a node is used, and of one answer
 * alone, from its first word to its end, where the last journey of a short answer weighs as much as its tokens. What
 * gridstr adds to the first word, against an event there and an event back, near and far. Eight chats at once against
 * eight one after the other.
 * @module
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { openKeys } from '../src/keys.ts'
import { type Bench, type BenchOptions, numberOf } from './bench.ts'
import { type Child, ended, startChild } from './child.ts'
import { type BareClient, openBareClient } from './echo-bare.ts'
import { farAway } from './far.ts'
import { writeRandomGguf } from './gguf.ts'
import { quantile, rounded, shuffled, windowed } from './statistics.ts'
import type { BareAnswer } from './tokens-parties.ts'

const plans = {
  full: { rounds: 40, largeRounds: 8, chats: 8, maxTokens: 200, largeTokens: 128, warmUp: 4, blocks: 4 },
  quick: { rounds: 2, largeRounds: 1, chats: 8, maxTokens: 24, largeTokens: 8, warmUp: 1, blocks: 1 },
}
/** What the shipped model has an answer to. */
const questions = ['What is Nostr?', 'What is a relay?', 'What is Lightning?', 'What is a DVM?', 'What is a zap?']
/** Milliseconds that a far relay is away, one way. */
const farMs = 25
type Plan = (typeof plans)['full']

/** What one answer took on one side. */
interface Took {
  readonly text: string
  readonly tokens: number
  readonly firstMs: number
  readonly ms: number
}

interface Compared {
  /** Tokens per second of many answers, here over there. */
  readonly ratio: number
  /** The same of one answer, from its first word to its end. */
  readonly aloneRatio: number
  readonly tokensPerSecond: number
  readonly bareTokensPerSecond: number
  readonly addedFirstMs: number
  readonly rttMs: number
  readonly farAddedFirstMs: number
  readonly farRttMs: number
  readonly parallel: number
}

export const tokens: Bench = {
  name: 'tokens',
  says: 'Answers of a language model through relay, node and client against a bare node-llama-cpp session, one thread each.',
  async run(options) {
    const dir = mkdtempSync(join(tmpdir(), 'gridstr-tokens-'))
    const plan = plans[options.quick ? 'quick' : 'full']
    try {
      const nano = await compare('nano', plan, plan.rounds, plan.maxTokens, options)
      const path = join(dir, 'random.gguf')
      options.progress('tokens: writing a model of about 100 M random weights')
      const parameters = await writeRandomGguf(path, { parameters: options.quick ? 5_000_000 : 100_000_000, seed: 1 })
      const large = await compare(path, plan, plan.largeRounds, plan.largeTokens, options)
      return {
        ...{ ratio: rounded(nano.ratio), ttft_added_ms: rounded(nano.addedFirstMs), rtt_ms: rounded(nano.rttMs) },
        ttft_rtts: rounded(nano.addedFirstMs / nano.rttMs),
        far_ttft_added_ms: rounded(nano.farAddedFirstMs),
        far_rtt_ms: rounded(nano.farRttMs),
        far_ttft_rtts: rounded(nano.farAddedFirstMs / nano.farRttMs),
        alone_ratio: rounded(nano.aloneRatio),
        tokens_per_second: rounded(nano.tokensPerSecond),
        bare_tokens_per_second: rounded(nano.bareTokensPerSecond),
        parallel8_ratio: rounded(nano.parallel),
        large_parameters: parameters,
        large_ratio: rounded(large.ratio),
        large_alone_ratio: rounded(large.aloneRatio),
        large_ttft_added_ms: rounded(large.addedFirstMs),
        large_tokens_per_second: rounded(large.tokensPerSecond),
        large_bare_tokens_per_second: rounded(large.bareTokensPerSecond),
        large_parallel8_ratio: rounded(large.parallel),
      }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
  rows(figures) {
    const get = (key: string) => numberOf(figures, key)
    const bare = 'a bare session = 1'
    return [
      {
        what: 'Tokens per second, shipped model',
        figure: `${get('tokens_per_second')}`,
        against: `${get('ratio')} × (${bare})`,
      },
      {
        what: `Tokens per second, ${Math.round(get('large_parameters') / 1e6)} M random weights`,
        figure: `${get('large_tokens_per_second')}`,
        against: `${get('large_ratio')} × (${bare})`,
      },
      {
        what: 'Added to the first word',
        figure: `${get('ttft_added_ms')} ms`,
        against: `${get('ttft_rtts')} × (one event there and one back = 1)`,
      },
      {
        what: `Added to the first word, relay ${farMs} ms away`,
        figure: `${get('far_ttft_added_ms')} ms`,
        against: `${get('far_ttft_rtts')} × (one event there and one back = 1)`,
      },
      {
        what: 'Eight chats at once, shipped model',
        figure: '',
        against: `${get('parallel8_ratio')} × the tokens per second of one after the other`,
      },
    ]
  },
}

async function compare(
  model: string,
  plan: Plan,
  rounds: number,
  maxTokens: number,
  options: BenchOptions,
): Promise<Compared> {
  const children: ChildProcess[] = []
  const close: (() => unknown)[] = []
  try {
    const { url = '' } = (await start(children, 'relay')).ready
    const node = (await start(children, 'node', url, model, '1')).ready
    const bare = await start(children, 'bare', model)
    const [pubkey = '', echo = ''] = [node['pubkey'], node['bare']]
    const ours = await openOurs(url, pubkey, close)
    const trip = await openTrip(url, echo, close)

    let asked = 0
    const prompt = () => questions[asked++ % questions.length] ?? ''
    const sides = {
      bare: { ask: bare.ask, width: 1, took: [] as Took[], rates: [] as number[] },
      ours: { ask: ours, width: 2, took: [] as Took[], rates: [] as number[] },
    }
    for (let i = 0; i < plan.warmUp; i++) for (const { ask } of Object.values(sides)) await ask(prompt(), maxTokens)
    options.progress(`tokens: ${rounds} answers on each side, one at a time`)
    // A journey alone is measured between the answers: processes that were idle for a while are slower, on all sides alike.
    const trips: number[] = []
    for (let round = 0; round < rounds; round++) {
      const text = prompt()
      const turns = Object.values(sides).map(
        ({ ask, took }) =>
          async () =>
            void took.push(await ask(text, maxTokens)),
      )
      for (const turn of shuffled([...turns, async () => void trips.push(await tripOf(trip, text))])) await turn()
      requireSame(sides.bare.took.at(-1), sides.ours.took.at(-1))
    }
    const perBlock = Math.max(2, Math.ceil(rounds / plan.blocks))
    options.progress(`tokens: ${plan.blocks} times ${perBlock} answers on each side, ours with two under way`)
    for (let block = 0; block < plan.blocks; block++) {
      const texts = Array.from({ length: perBlock }, prompt)
      for (const { ask, width, rates } of shuffled(Object.values(sides)))
        rates.push(await rate(ask, texts, maxTokens, width))
    }

    const far = await farAway(url, farMs)
    close.push(far.close)
    const fromFar = await openOurs(far.url, pubkey, close)
    const farTrip = await openTrip(far.url, echo, close)
    const farTrips: number[] = []
    const farTook: Took[] = []
    for (let i = 0; i < Math.min(10, rounds); i++) {
      farTook.push(await fromFar(prompt(), maxTokens))
      farTrips.push(await tripOf(farTrip, prompt()))
    }

    options.progress(`tokens: ${plan.chats} chats at once and ${plan.chats} one after the other`)
    const eight = (await start(children, 'node', url, model, String(plan.chats))).ready
    const many = await openOurs(url, eight['pubkey'] ?? '', close)
    const chats = Array.from({ length: plan.chats }, prompt)
    await many(prompt(), maxTokens)
    const alone = await rate(many, chats, maxTokens, 1)
    const together = await rate(many, chats, maxTokens, plan.chats)

    const median = (one: readonly Took[], of: (took: Took) => number) => quantile(one.map(of), 0.5)
    const speed = ({ tokens: count, firstMs, ms }: Took) => ((count - 1) * 1000) / (ms - firstMs)
    const first = ({ firstMs }: Took) => firstMs
    const [here, there] = [sides.ours.took, sides.bare.took]
    const [hereRate, thereRate] = [quantile(sides.ours.rates, 0.5), quantile(sides.bare.rates, 0.5)]
    return {
      ratio: hereRate / thereRate,
      aloneRatio: median(here, speed) / median(there, speed),
      tokensPerSecond: hereRate,
      bareTokensPerSecond: thereRate,
      addedFirstMs: median(here, first) - median(there, first),
      rttMs: quantile(trips, 0.5),
      farAddedFirstMs: median(farTook, first) - median(there, first),
      farRttMs: quantile(farTrips, 0.5),
      parallel: together / alone,
    }
  } finally {
    for (const one of close.reverse()) await one()
    for (const child of children) await ended(child)
  }
}

/** Tokens per second of all these questions, so many under way. */
async function rate(ask: Ask, texts: readonly string[], maxTokens: number, width: number): Promise<number> {
  let count = 0
  let next = 0
  const ms = await windowed(texts.length, width, async () => {
    const { tokens: drawn } = await ask(texts[next++] ?? '', maxTokens)
    count += drawn
  })
  return (count * 1000) / ms
}

/** Milliseconds of a bare question and its echo. */
async function tripOf(trip: BareClient, text: string): Promise<number> {
  const began = performance.now()
  await trip.ask(text)
  return performance.now() - began
}

/** The same model, prompt and temperature 0: other words or counts would be another measurement. */
function requireSame(bare: Took | undefined, ours: Took | undefined): void {
  if (bare?.text.trim() === ours?.text.trim() && bare?.tokens === ours?.tokens) return
  throw new Error(
    `the two sides did not say the same: bare ${bare?.tokens} tokens ${JSON.stringify(bare?.text.slice(0, 80))}, ours ${ours?.tokens} tokens ${JSON.stringify(ours?.text.slice(0, 80))}`,
  )
}

type Ask = (prompt: string, maxTokens: number) => Promise<Took>

async function openOurs(url: string, pubkey: string, close: (() => unknown)[]): Promise<Ask> {
  const clock = wallClock()
  const keys = await openKeys()
  const relays = connectRelays({ urls: [url], keys, clock })
  close.push(relays.close)
  const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 0n, to: pubkey })
  if (!choice.ok) throw new Error(choice.says)
  const { announcement } = choice.offer
  const client = openClient({ relays, keys, secret: keys.newSecret(), clock, network: 'regtest' })
  return async (text, maxTokens) => {
    const began = performance.now()
    let firstMs = 0
    const outcome = await client.ask({
      ...{ text, maxTokens, temperature: 0, node: { pubkey, announcement }, capMsats: 0n },
      onEvent({ event }) {
        if (event === 'chunk') firstMs ||= performance.now() - began
      },
    })
    const ms = performance.now() - began
    if (!outcome.ok || outcome.usage === undefined) throw new Error(`no answer: ${outcome.says}`)
    return { text: outcome.text ?? '', tokens: outcome.usage.outputTokens, firstMs, ms }
  }
}

async function openTrip(url: string, node: string, close: (() => unknown)[]): Promise<BareClient> {
  const keys = await openKeys()
  const client = await openBareClient({ url, keys, secret: keys.newSecret() }, node)
  close.push(client.close)
  return client
}

/** Starts one of the other processes; `ask` asks the bare one. */
async function start(children: ChildProcess[], ...args: string[]): Promise<{ ready: Child['ready']; ask: Ask }> {
  const child = await startChild(children, new URL('./tokens-parties.ts', import.meta.url), ...args)
  const ask: Ask = (prompt, maxTokens) => child.ask<BareAnswer>({ prompt, maxTokens })
  return { ready: child.ready, ask }
}
