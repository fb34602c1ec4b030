/**
 * Tokens per second through relay, node and client against a bare session of node-llama-cpp on the same model, prompt,
 * threads and machine, in the same run; what gridstr adds to the first word, against an event there and an event back;
 * and eight chats at once against eight one after the other.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { openKeys } from '../src/keys.ts'
import { type Bench, type BenchOptions, numberOf } from './bench.ts'
import { type BareClient, openBareClient } from './echo-bare.ts'
import { writeRandomGguf } from './gguf.ts'
import { quantile, rounded, shuffled, windowed } from './statistics.ts'
import type { BareAnswer, BareQuestion } from './tokens-parties.ts'

const plans = {
  full: { rounds: 15, largeRounds: 6, trips: 200, chats: 8, maxTokens: 200, largeTokens: 96, warmUp: 2 },
  quick: { rounds: 2, largeRounds: 1, trips: 5, chats: 8, maxTokens: 24, largeTokens: 8, warmUp: 1 },
}
type Plan = (typeof plans)['full']

/** What one answer took on one side. */
interface Took {
  readonly text: string
  readonly tokens: number
  readonly firstMs: number
  readonly ms: number
}

interface Compared {
  /** Tokens per second from the first word to the end, here over there. */
  readonly ratio: number
  /** The same from the asking to the end. */
  readonly wholeRatio: number
  readonly tokensPerSecond: number
  readonly bareTokensPerSecond: number
  readonly addedFirstMs: number
  readonly rttMs: number
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
        whole_ratio: rounded(nano.wholeRatio),
        tokens_per_second: rounded(nano.tokensPerSecond),
        bare_tokens_per_second: rounded(nano.bareTokensPerSecond),
        parallel8_ratio: rounded(nano.parallel),
        large_parameters: parameters,
        large_ratio: rounded(large.ratio),
        large_whole_ratio: rounded(large.wholeRatio),
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
        what: 'Eight chats at once, tokens per second',
        figure: `${rounded(get('tokens_per_second') * get('parallel8_ratio'))}`,
        against: `${get('parallel8_ratio')} × (one after the other = 1)`,
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
    const node = (await start(children, 'node', url, model)).ready
    const bare = await start(children, 'bare', model)
    const ours = await openOurs(url, node['pubkey'] ?? '', close)
    const trip = await openTrip(url, node['bare'] ?? '', close)

    let asked = 0
    const prompt = () => `Question number ${++asked}: what is Nostr and who can read what I write there?`
    const sides = {
      bare: { ask: bare.ask, took: [] as Took[] },
      ours: { ask: ours, took: [] as Took[] },
    }
    for (let i = 0; i < plan.warmUp; i++) for (const { ask } of Object.values(sides)) await ask(prompt(), maxTokens)
    options.progress(`tokens: ${rounds} answers of ${maxTokens} tokens at most on each side`)
    for (let round = 0; round < rounds; round++) {
      const text = prompt()
      for (const { ask, took } of shuffled(Object.values(sides))) took.push(await ask(text, maxTokens))
      requireSame(sides.bare.took.at(-1), sides.ours.took.at(-1))
    }
    const trips: number[] = []
    for (let i = 0; i < plan.trips; i++) {
      const began = performance.now()
      await trip.ask(prompt())
      trips.push(performance.now() - began)
    }
    options.progress(`tokens: ${plan.chats} chats at once and ${plan.chats} one after the other`)
    const rate = async (width: number) => {
      let count = 0
      const ms = await windowed(plan.chats, width, async () => {
        count += (await ours(prompt(), maxTokens)).tokens
      })
      return count / ms
    }
    const alone = await rate(1)
    const together = await rate(plan.chats)

    const median = (one: readonly Took[], of: (took: Took) => number) => quantile(one.map(of), 0.5)
    const speed = ({ tokens: count, firstMs, ms }: Took) => ((count - 1) * 1000) / (ms - firstMs)
    const whole = ({ tokens: count, ms }: Took) => (count * 1000) / ms
    const [here, there] = [sides.ours.took, sides.bare.took]
    return {
      ratio: median(here, speed) / median(there, speed),
      wholeRatio: median(here, whole) / median(there, whole),
      tokensPerSecond: median(here, speed),
      bareTokensPerSecond: median(there, speed),
      addedFirstMs: median(here, took => took.firstMs) - median(there, took => took.firstMs),
      rttMs: quantile(trips, 0.5),
      parallel: together / alone,
    }
  } finally {
    for (const one of close.reverse()) await one()
    for (const child of children) await ended(child)
  }
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

interface Child {
  readonly ready: Record<string, string>
  ask: Ask
}

/** Starts one of the other processes. */
async function start(children: ChildProcess[], ...args: string[]): Promise<Child> {
  const child = fork(new URL('./tokens-parties.ts', import.meta.url), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  children.push(child)
  const ready = await new Promise<Record<string, string>>((resolve, reject) => {
    child.once('message', message => resolve(message as Record<string, string>))
    child.once('exit', code => reject(new Error(`the ${args[0]} process ended with ${code}`)))
  })
  const waiting = new Map<number, (answer: BareAnswer) => void>()
  child.on('message', (answer: BareAnswer) => {
    waiting.get(answer.n)?.(answer)
    waiting.delete(answer.n)
  })
  let n = 0
  return {
    ready,
    ask(prompt, maxTokens) {
      const question: BareQuestion = { n: ++n, prompt, maxTokens }
      return new Promise(resolve => {
        waiting.set(question.n, resolve)
        child.send(question)
      })
    },
  }
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || !child.connected) return resolve()
    child.once('exit', () => resolve())
    child.disconnect()
  })
