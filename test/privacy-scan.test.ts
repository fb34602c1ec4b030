/**
 * Everything that relays, wallets and proxies saw of a question is scanned for its words: prompt, parameters and answer.
 * The scan proves itself on a question that was asked in the open.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, feedback, frame, isSealed, kinds, textRequest, textResult } from '../kinds/index.ts'
import { startRelay } from '../relays/index.ts'
import { query } from '../relays/relay.ts'
import { wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { serveNwc } from '../src/payments/nwc/service.ts'
import { writeNwcUri } from '../src/payments/nwc/uri.ts'
import { nwcWallet } from '../src/payments/nwc.ts'
import type { Wallet } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import type { Runner } from '../src/runners/runner.ts'
import { openSeal } from '../src/seal.ts'
import { openSession } from '../src/session/index.ts'
import { keeps } from './promises.ts'
import { type Recorder, record } from './scan/proxy.ts'
import { found, spellings } from './scan/spellings.ts'

/** Words and numbers that nothing else can have said. */
const secrets = {
  prompt: 'the otter keeps “Zwiebelkuchen” under platform 9',
  system: 'Answer like Grandmother Quixotine.',
  answer: 'Only the lighthouse of Vennesund knows about Zebrafinken.',
  stop: 'ENDOFTHETALE77',
  tool: 'count_zebrafinken_in_the_attic',
  seed: '918273645546372',
  temperature: '0.7364519',
}
const words = Object.values(secrets)
const keys = await openKeys()
const clock = wallClock()

/** Gives the answer in four pieces, whatever it is asked. */
const speaker: Runner = {
  name: 'speaker',
  kinds: [textRequest.number],
  models: async () => [{ name: 'speaker', contextTokens: 4_096, about: 'says one thing' }],
  check: async () => ({ ok: true, model: 'speaker', promptTokens: 9, maxTokens: 64 }),
  async run(_, emit) {
    for (const piece of secrets.answer.match(/.{1,15}/g) ?? []) emit(piece)
    return { text: secrets.answer, model: 'speaker', promptTokens: 9, outputTokens: 4, finish: 'stop' }
  },
  async close() {},
}

/** What a wallet is told, in its own words: every argument of every call. */
function overheard(wallet: Wallet, heard: string[]): Wallet {
  return new Proxy(wallet, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        heard.push(JSON.stringify(args, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
        return Reflect.apply(member, target, args)
      }
    },
  })
}

interface Seen {
  readonly frames: Recorder['frames']
  readonly wallets: readonly string[]
  /** What the relay keeps, as anybody may ask for it. */
  readonly kept: readonly Event[]
  readonly node: string
  readonly text: string
  readonly msats: bigint
  readonly level: number
  /** Id of the job, and the key that asked. */
  readonly request: string
  readonly customer: string
}

/** One paid question; every party speaks to the relay through a recorder of its own. */
async function ask(privacy: 0 | 1 | 2): Promise<Seen> {
  const relay = await startRelay({ clock, verify: keys.verify })
  const frames: Recorder['frames'] = []
  const recorders: Recorder[] = []
  const behind = async (party: string) => {
    const recorder = await record(party, relay.url, frames)
    recorders.push(recorder)
    return recorder.url
  }
  const wallets: string[] = []
  const net = simNet({ clock })
  const seal = (secret: Uint8Array) => openSeal({ keys, secret })
  const closing: (() => unknown)[] = []

  /** A wallet that is spoken to over the relay. */
  const serve = async (party: string, msats: bigint) => {
    const relays = connectRelays({ urls: [await behind(`wallet of ${party}`)], keys, clock })
    const [secret, client] = [keys.newSecret(), keys.newSecret()]
    const wallet = overheard(net.wallet({ alias: party, msats }), wallets)
    const parts = { wallet, relays, clock, keys, seal, secret, clientPubkey: keys.publicKey(client) }
    const service = serveNwc(parts)
    await service.ready
    closing.push(() => service.close(), relays.close)
    return writeNwcUri({ wallet: service.pubkey, relays: [await behind(`${party}, to its wallet`)], secret: client })
  }
  const payerUri = await serve('customer', 100_000n)
  const payee = nwcWallet({
    uri: await serve('node', 0n),
    relays: urls => connectRelays({ urls, keys, clock }),
    ...{ clock, keys, seal },
  })
  closing.push(payee.close)
  const { nodeKey = '' } = await payee.info()
  const nodeSecret = keys.newSecret()
  const nodeRelays = connectRelays({ urls: [await behind('node')], keys, clock, secret: nodeSecret })
  const node = await openNode({
    ...{ relays: nodeRelays, keys, secret: nodeSecret, clock, runner: speaker, payee, priceMsats: 2_000n },
    service: {
      ...{ id: 'x', name: 'A node', about: 'Talks.', kinds: speaker.kinds, nodeKeys: [nodeKey] },
      privacy: [0, 1, 2],
    },
  })
  closing.push(() => node.close(), nodeRelays.close)
  if (!(await node.ready)) throw new Error('the node does not hear itself')
  const session = await openSession({
    ...{ relays: [await behind('customer')], wallet: payerUri, maxSats: 3, privacy, clock, keys },
  })
  closing.push(() => session.close())
  try {
    const outcome = await session.ask({
      messages: [
        { role: 'system', content: secrets.system },
        { role: 'user', content: secrets.prompt },
      ],
      ...{ temperature: Number(secrets.temperature), seed: Number(secrets.seed), stop: [secrets.stop] },
      responseFormat: { type: 'json_schema', schema: { type: 'object', title: secrets.tool } },
    }).outcome
    if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.says}`)
    const anybody = connectRelays({ urls: [relay.url], keys, clock })
    const kept = await query(anybody, [{ kinds: kinds.map(kind => kind.number), limit: 500 }])
    await anybody.close()
    const { text, msats, privacy: report, request } = outcome
    const customer = report.identity.pubkey
    return { frames, wallets, kept, node: node.pubkey, text, msats, level: report.level, request, customer }
  } finally {
    for (const close of closing.reverse()) await close()
    for (const recorder of recorders) await recorder.close()
    await relay.close()
  }
}

/** Every word of the question that can be read in what was seen, and where. */
const readable = ({ frames, wallets, kept }: Seen): string[] => [
  ...frames.flatMap(({ party, way, text }) => found(words, text).map(word => `${party} ${way}: ${word}`)),
  ...wallets.flatMap(text => found(words, text).map(word => `a wallet was told: ${word}`)),
  ...kept.flatMap(event => found(words, JSON.stringify(event)).map(word => `kept by the relay: ${word}`)),
]

describe('the scan', () => {
  test('finds a text however it is encoded', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, unit: 'grapheme' }).filter(text => /[a-z]{4}/i.test(text)),
        fc.string(),
        fc.string(),
        (text, before, after) => {
          const around = `${before}${text}${after}`
          const bytes = Buffer.from(around)
          for (const seen of [
            around,
            JSON.stringify(around),
            JSON.stringify(JSON.stringify(around)),
            bytes.toString('base64'),
            bytes.toString('base64url'),
            bytes.toString('hex'),
            encodeURIComponent(around.isWellFormed() ? around : ''),
          ])
            if (around.isWellFormed() || !seen.includes('%')) expect(found([text], seen), seen).toEqual([text])
        },
      ),
    )
  })

  test('does not find what is not there', () => {
    fc.assert(
      fc.property(fc.string(), seen => {
        expect(found(words, seen)).toEqual([])
      }),
    )
    expect(spellings('abcd').every(one => one.length >= 3)).toBe(true)
  })
})

describe('a question', () => {
  test('asked in the open is read by all: each word of it is found, so the scan would find them', async () => {
    const seen = await ask(0)
    expect(seen.text).toBe(secrets.answer)
    expect(seen.level).toBe(0)
    const [customer, node] = ['customer up', 'node down'].map(side =>
      words.filter(word => readable(seen).includes(`${side}: ${word}`)),
    )
    const asked = words.filter(word => word !== secrets.answer)
    expect(customer).toEqual(expect.arrayContaining(asked))
    expect(node).toEqual(expect.arrayContaining(asked))
    expect(readable(seen)).toContain(`node up: ${secrets.answer}`)
    expect(readable(seen)).toContain(`kept by the relay: ${secrets.prompt}`)
  }, 30_000)

  test('asked as usual is read by nobody but the node, its parameters and its answer neither', async () => {
    const seen = await ask(1)
    expect(seen.text).toBe(secrets.answer)
    expect(seen.msats).toBe(2_000n)
    expect(seen.level).toBe(1)
    expect(readable(seen)).toEqual([])
    // Not because nothing was seen: request, bill, frames and result passed by, sealed.
    const passed = new Set(jobEvents(seen).map(({ kind }) => kind))
    expect([...passed].sort()).toEqual([textRequest.number, textResult.number, feedback.number, frame.number].sort())
    expect(jobEvents(seen).every(event => isSealed(event))).toBe(true)
    // Nor how long it was, on which model, or where it was cut: that tells of the parameters.
    const shown = jobEvents(seen).flatMap(({ kind, tags }) =>
      kind === textResult.number ? tags.map(([name]) => name) : [],
    )
    expect([...new Set(shown)].sort()).toEqual(['e', 'encrypted', 'hidden', 'p'])
    expect(seen.wallets.length).toBeGreaterThan(2)
  }, 30_000)

  keeps(
    'privacy.wrapped',
    'asked in wraps shows not even that it is one, nor whom the node answers',
    async () => {
      const seen = await ask(2)
      expect(seen.text).toBe(secrets.answer)
      expect(seen.level).toBe(2)
      expect(readable(seen)).toEqual([])
      expect(jobEvents(seen)).toEqual([])
      // No frame of any party names the job, and none the key of the customer together with the node's.
      const { frames, kept, request, customer, node } = seen
      expect(frames.filter(({ text }) => text.includes(request))).toEqual([])
      expect(frames.filter(({ text }) => text.includes(customer) && text.includes(node))).toEqual([])
      expect(kept.filter(event => [request, customer].some(name => JSON.stringify(event).includes(name)))).toEqual([])
      // The key is named by the customer's own ear, and by wraps to it from keys that are used once; it signs nothing.
      const told = frames.flatMap(({ party, way, text }) => {
        if (!text.includes(customer)) return []
        const [verb, , event] = [JSON.parse(text)].flat()
        if (verb === 'REQ') return [`${party} ${way} REQ`]
        const said =
          verb === 'EVENT' ? [event, JSON.parse(text)[1]].find(one => typeof one === 'object' && one) : undefined
        return [`${party} ${way} ${said?.kind} ${said?.pubkey === customer ? 'by' : 'to'}`]
      })
      expect([...new Set(told)].sort()).toEqual(['customer down 21059 to', 'customer up REQ', 'node up 21059 to'])
      const wraps = new Map(
        frames.flatMap(({ text }) => {
          const event = [JSON.parse(text)].flat().find(one => one?.kind === 21_059)
          return event ? [[String(event.id), String(event.pubkey)] as const] : []
        }),
      )
      expect(new Set(wraps.values()).size).toBe(wraps.size)
      expect(wraps.size).toBeGreaterThan(3)
    },
    30_000,
  )

  test.each([1, 2] as const)(
    'of level %i does not tell a wallet which job it pays: that would tell whose job it is',
    async level => {
      const { wallets, request, customer } = await ask(level)
      expect(wallets.length).toBeGreaterThan(2)
      expect(wallets.filter(text => text.includes(customer))).toEqual([])
      expect(wallets.filter(text => JSON.stringify(saidAloud(JSON.parse(text))).includes(request))).toEqual([])
    },
    30_000,
  )
})

/** What a wallet is told but the keys by which it tells equal questions apart, which stay in the process. */
const saidAloud = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(saidAloud)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value).flatMap(([name, one]) => (name === 'key' ? [] : [[name, saidAloud(one)]])),
        )
      : value

/** The events of the job itself that passed any proxy in either direction. */
function jobEvents({ frames }: Seen): Event[] {
  const numbers: ReadonlySet<number> = new Set([textRequest, textResult, feedback, frame].map(kind => kind.number))
  return frames.flatMap(({ text }) => {
    const said: unknown = JSON.parse(text)
    const event = Array.isArray(said)
      ? said.find(item => typeof item === 'object' && item !== null && 'sig' in item)
      : undefined
    return event !== undefined && numbers.has(event.kind) ? [event as Event] : []
  })
}
