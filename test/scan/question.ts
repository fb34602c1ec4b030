/**
 * One paid question of an application, with everything that relays, wallets and proxies saw of it.
 * @module
 */
import { type Event, feedback, frame, kinds, textRequest, textResult } from '../../kinds/index.ts'
import { startRelay } from '../../relays/index.ts'
import { query } from '../../relays/relay.ts'
import { wallClock } from '../../src/clock.ts'
import { connectRelays } from '../../src/connect.ts'
import { openKeys } from '../../src/keys.ts'
import { openNode } from '../../src/node/node.ts'
import { serveNwc } from '../../src/payments/nwc/service.ts'
import { writeNwcUri } from '../../src/payments/nwc/uri.ts'
import { nwcWallet } from '../../src/payments/nwc.ts'
import type { Wallet } from '../../src/payments/payment.ts'
import { simNet } from '../../src/payments/sim.ts'
import type { Runner } from '../../src/runners/runner.ts'
import { openSeal } from '../../src/seal.ts'
import { openSession } from '../../src/session/index.ts'
import { type Recorder, record } from './proxy.ts'
import { found } from './spellings.ts'

/** Words and numbers that nothing else can have said. */
export const secrets = {
  prompt: 'the otter keeps “Zwiebelkuchen” under platform 9',
  system: 'Answer like Grandmother Quixotine.',
  answer: 'Only the lighthouse of Vennesund knows about Zebrafinken.',
  stop: 'ENDOFTHETALE77',
  tool: 'count_zebrafinken_in_the_attic',
  seed: '918273645546372',
  temperature: '0.7364519',
}
export const words = Object.values(secrets)
const keys = await openKeys()
const clock = wallClock()

/** Gives the answer in four pieces, whatever it is asked. */
const speakerOf = (answer: string): Runner => ({
  name: 'speaker',
  kinds: [textRequest.number],
  models: async () => [{ name: 'speaker', contextTokens: 4_096, about: 'says one thing' }],
  check: async () => ({ ok: true, model: 'speaker', promptTokens: 9, maxTokens: 64 }),
  async run(_, emit) {
    for (const piece of answer.match(answer.length > 1_000 ? /.{1,4000}/g : /.{1,15}/g) ?? []) emit(piece)
    return { text: answer, model: 'speaker', promptTokens: 9, outputTokens: 4, finish: 'stop' }
  },
  async close() {},
})

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

export interface Seen {
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
export async function ask(privacy: 0 | 1 | 2, filler = ''): Promise<Seen> {
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
    ...{ relays: nodeRelays, keys, secret: nodeSecret, clock, payee, priceMsats: 2_000n },
    runner: speakerOf(secrets.answer + filler),
    service: {
      ...{ id: 'x', name: 'A node', about: 'Talks.', kinds: [textRequest.number], nodeKeys: [nodeKey] },
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
        { role: 'user', content: secrets.prompt + filler },
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
export const readable = ({ frames, wallets, kept }: Seen): string[] => [
  ...frames.flatMap(({ party, way, text }) => found(words, text).map(word => `${party} ${way}: ${word}`)),
  ...wallets.flatMap(text => found(words, text).map(word => `a wallet was told: ${word}`)),
  ...kept.flatMap(event => found(words, JSON.stringify(event)).map(word => `kept by the relay: ${word}`)),
]

/** The events of the job itself that passed any proxy in either direction. */
export function jobEvents({ frames }: Seen): Event[] {
  const numbers: ReadonlySet<number> = new Set([textRequest, textResult, feedback, frame].map(kind => kind.number))
  return frames.flatMap(({ text }) => {
    const said: unknown = JSON.parse(text)
    const event = Array.isArray(said)
      ? said.find(item => typeof item === 'object' && item !== null && 'sig' in item)
      : undefined
    return event !== undefined && numbers.has(event.kind) ? [event as Event] : []
  })
}
