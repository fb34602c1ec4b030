/**
 * One whole paid job (node, client, and both their wallets over NIP-47), each party behind a proxy of its own to each
 * relay, in bad weather. It ends as it ends; `verdict.ts` judges.
 * @module
 */
import { kinds, present, type WishedTerms } from '../../kinds/index.ts'
import { startRelay } from '../../relays/embedded/relay.ts'
import { openPool } from '../../relays/pool.ts'
import type { Relays } from '../../relays/relay.ts'
import { type AskEvent, chooseNode, type Outcome, openClient, readMarket } from '../../src/client/client.ts'
import { seconds } from '../../src/clock.ts'
import { openIntake } from '../../src/intake.ts'
import type { NodeJob } from '../../src/job.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { memoryJournal } from '../../src/journal/memory.ts'
import { type Keys, openKeys } from '../../src/keys.ts'
import { type NodeEvent, openNode } from '../../src/node/node.ts'
import { serveNwc } from '../../src/payments/nwc/service.ts'
import { nwcUri } from '../../src/payments/nwc/uri.ts'
import { nwcWallet } from '../../src/payments/nwc.ts'
import type { Payee, Payer, Transaction, Wallet } from '../../src/payments/payment.ts'
import { echoRunner } from '../../src/runners/echo.ts'
import { openSeal } from '../../src/seal.ts'
import { openWeather, type Planted, randomOf, type Weather } from './faults.ts'
import { type ChaosProxy, openProxy, type Passed } from './proxy.ts'
import { quietClock } from './quiet-clock.ts'
import { openRail, type RailName, rowsOf } from './rails.ts'

/**
 * What the customer does: buys an answer, paid before, in two parts, after, or held; withdraws the job as soon as it has
 * paid; or claims its money back because the work failed.
 */
export const STORIES = ['buy', 'parts', 'after', 'hold', 'refund', 'cancel'] as const
export type Story = (typeof STORIES)[number]

/** Parts that are wrong on purpose, to see that the harness notices. */
export interface Spoiled {
  /** `shop` makes invoices of the node's wallet. */
  payer?(payer: Payer, shop: Payee): Payer
  payee?(payee: Payee): Payee
  readonly runner?: 'dies' | 'lies'
}

export interface PaidJobOptions {
  /** One list for each relay; an empty one is an honest relay. */
  readonly relays: readonly (readonly Planted[])[]
  readonly seed: number
  readonly story?: Story
  readonly rail?: RailName
  readonly spoiled?: Spoiled
}

/** All that is known about a job after everything went quiet. */
export interface Played {
  readonly story: Story
  /** Absent when no job began: `code` says why. */
  readonly outcome?: Outcome
  readonly code?: string
  readonly askEvents: readonly AskEvent[]
  readonly nodeEvents: readonly NodeEvent[]
  readonly nodeJobs: readonly NodeJob[]
  /** Books of the two wallets, unpaid rows included. */
  readonly payer: readonly Transaction[]
  readonly payee: readonly Transaction[]
  readonly conserved: boolean
  readonly journals: { readonly node: Journal; readonly client: Journal }
  readonly customer: string
  readonly passed: readonly Passed[]
  readonly weathers: readonly Weather[]
  /** Events that had passed the first relay when the customer's job ended, by `kind way`. */
  readonly counts: ReadonlyMap<string, number>
  readonly clockSeconds: number
}

export const PRICE = 2_000n
export const QUESTION = 'four words, no more'

const wishes: Partial<Record<Story, WishedTerms>> = {
  parts: { word: 'parts', parts: 2 },
  after: { word: 'after' },
  hold: { word: 'hold' },
}

const keys = await openKeys()
const seal = (secret: Uint8Array) => openSeal({ keys, secret })
/** An invoice outlives the 120 seconds that a silent wallet is given before it is ordered again. */
const LIMITS = { billSeconds: 300, workSeconds: 60 } as const
const TTL_SECONDS = 400
/** After the customer's end: late answers come, the invoice runs out, late money is waited for. At least, and until the node is done. */
const QUIET_SECONDS = { least: 20, most: 4_500 } as const

const runnerOf = (story: Story) => (story === 'refund' ? 'dies' : 'none')

/** Plays it to the end. Rejects only for what is a bug of the harness or a hang. */
export async function playPaidJob(options: PaidJobOptions): Promise<Played> {
  const clock = quietClock()
  const began = clock.now()
  const { story = 'buy', spoiled } = options
  const journals = { node: memoryJournal(), client: memoryJournal() }
  const random = randomOf(options.seed)
  const closers: (() => Promise<unknown>)[] = []
  const opened = <T>(thing: T, close: (thing: T) => Promise<unknown>): T => {
    closers.unshift(() => close(thing))
    return thing
  }
  const weathers = options.relays.map((planted, index) => openWeather(planted, options.seed * 31 + index))
  const proxies: ChaosProxy[] = []
  const relayUrls: string[] = []
  const byRelay = new Map<number, ChaosProxy[]>()

  async function doorsOf(party: string): Promise<string[]> {
    const urls: string[] = []
    for (const [index, weather] of weathers.entries()) {
      const mine = byRelay.get(index) ?? []
      byRelay.set(index, mine)
      const proxy = await openProxy({
        ...{ party, relay: relayUrls[index] ?? '', weather, clock, onMove: clock.stir },
        onDeath: () => {
          for (const one of mine) one.kill()
        },
      })
      mine.push(proxy)
      proxies.push(proxy)
      urls.push(opened(proxy, one => one.close()).url)
    }
    return urls
  }

  const connect = (urls: readonly string[]): Relays => {
    const { admit } = openIntake({
      ...{ verify: keys.signed, clock, kinds: kinds.map(kind => kind.number), seenMax: 0 },
      windowSeconds: { past: Number.POSITIVE_INFINITY, ahead: 900 },
    })
    return opened(openPool({ urls, clock, admit, random }), one => one.close())
  }

  const verify = (event: Parameters<Keys['verify']>[0]) => keys.verify(event)
  try {
    for (const _ of options.relays) relayUrls.push(opened(await startRelay({ clock, verify }), one => one.close()).url)
    const rail = opened(await openRail(options.rail ?? 'sim', clock), one => one.close())
    const [walletDoors, nodeDoors, clientDoors] = [
      await doorsOf('wallet'),
      await doorsOf('node'),
      await doorsOf('client'),
    ]
    const served = connect(walletDoors)
    const share = (wallet: Wallet, doors: readonly string[]): Wallet => {
      const [secret, mine] = [keys.newSecret(), keys.newSecret()]
      const clientPubkey = keys.publicKey(mine)
      const service = serveNwc({ wallet, relays: served, clock, keys, seal, secret, clientPubkey })
      opened(service, one => one.close())
      const uri = nwcUri({ wallet: service.pubkey, relays: doors, secret: mine })
      return opened(nwcWallet({ uri, relays: connect, clock, keys, seal }), one => one.close())
    }
    const shared = { payee: share(rail.payee, nodeDoors), payer: share(rail.payer, clientDoors) }
    const payee = spoiled?.payee?.(shared.payee) ?? shared.payee
    const payer = spoiled?.payer?.(shared.payer, rail.payee) ?? shared.payer

    const nodeEvents: NodeEvent[] = []
    const askEvents: AskEvent[] = []
    const node = await clock.until(
      openNode({
        ...{ relays: connect(nodeDoors), keys, secret: keys.newSecret(), clock, payee, priceMsats: PRICE },
        runner: echoRunner({ clock, delayMs: 1_000, pieceMs: 500, fault: spoiled?.runner ?? runnerOf(story) }),
        ...(story === 'after' ? { terms: { after: { startMsats: PRICE, maxMsats: PRICE } } } : {}),
        ...(story === 'refund' ? { refunder: { payer: shared.payee, network: async () => 'regtest' as const } } : {}),
        journal: journals.node,
        service: { id: 'faulty', name: 'faulty', about: '', kinds: [5050], nodeKeys: [] },
        limits: LIMITS,
        onEvent: event => void nodeEvents.push(event),
      }),
      120,
    )
    opened(node, one => one.close())
    await clock.until(node.ready, 60)

    const secret = keys.newSecret()
    const played = async (told: { outcome?: Outcome; code?: string }): Promise<Played> => {
      const counts = new Map(weathers[0]?.counts)
      await clock.pass(QUIET_SECONDS.least)
      const isOpen = () => node.jobs().length > 0 || journals.node.jobs.unfinished('node').length > 0
      for (let i = 0; i < QUIET_SECONDS.most && isOpen(); i += 20) await clock.pass(20)
      const conserved = await rail.conserved()
      return {
        ...told,
        ...{ story, askEvents, nodeEvents, nodeJobs: node.jobs(), conserved, weathers, journals, counts },
        customer: keys.publicKey(secret),
        payer: await rowsOf(rail.payer),
        payee: await rowsOf(rail.payee),
        passed: proxies.flatMap(proxy => proxy.passed),
        clockSeconds: (clock.now() - began) / 1000,
      }
    }

    const relays = connect(clientDoors)
    const market = await clock.until(readMarket(relays, seconds(clock)), 60)
    const choice = chooseNode(market, { capMsats: PRICE * 2n })
    if (!choice.ok) return await played({ code: choice.code })
    const client = openClient({
      ...{ relays, keys, secret, clock, payer, network: 'regtest', journal: journals.client },
      ...(story === 'refund' ? { payee: shared.payer } : {}),
    })
    const stop = new AbortController()
    const giveUp = new AbortController()
    clock.after((TTL_SECONDS + 300) * 1000, () => giveUp.abort())
    const asked = client.ask(
      {
        ...{ text: QUESTION, node: choice.offer, capMsats: PRICE * 2n, ttlSeconds: TTL_SECONDS },
        ...present({ terms: wishes[story], maxTokens: story === 'parts' ? 4 : undefined }),
        giveUp: giveUp.signal,
        onEvent(event) {
          askEvents.push(event)
          if (story === 'cancel' && event.event === 'paid') stop.abort()
        },
      },
      stop.signal,
    )
    return await played({ outcome: await clock.until(asked, TTL_SECONDS + 400) })
  } finally {
    const closing = (async () => {
      for (const close of closers) await close().catch(() => {})
    })()
    await clock.until(closing, 600)
  }
}
