/**
 * One whole paid job (node, client, and both their wallets over NIP-47), each party behind a proxy of its own to each
 * relay, in bad weather. It ends as it ends; `verdict.ts` judges.
 * @module
 */
import { present, type WishedTerms } from '../../kinds/index.ts'
import { type AskEvent, chooseNode, type Outcome, openClient, readMarket } from '../../src/client/client.ts'
import { seconds } from '../../src/clock.ts'
import type { NodeJob } from '../../src/job.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { memoryJournal } from '../../src/journal/memory.ts'
import { type NodeEvent, openNode } from '../../src/node/node.ts'
import type { Payee, Payer, Transaction } from '../../src/payments/payment.ts'
import { echoRunner } from '../../src/runners/echo.ts'
import type { Weather } from './faults.ts'
import { onFullDisk } from './full-disk.ts'
import type { Passed } from './proxy.ts'
import { rowsOf } from './rails.ts'
import { openStand, type StandOptions } from './stand.ts'

/**
 * What the customer does: buys an answer, paid before, in two parts, after, or held, or by the token, and claims back what
 * was not used; withdraws the job as soon as it has paid; or claims its money back because the work failed.
 */
export const STORIES = ['buy', 'parts', 'after', 'hold', 'refund', 'cancel', 'tokens'] as const
export type Story = (typeof STORIES)[number]

/** Parts that are wrong on purpose, to see that the harness notices. */
export interface Spoiled {
  /** `shop` makes invoices of the node's wallet. */
  payer?(payer: Payer, shop: Payee): Payer
  payee?(payee: Payee): Payee
  readonly runner?: 'dies' | 'lies'
}

export interface PaidJobOptions extends StandOptions {
  readonly story?: Story
  readonly spoiled?: Spoiled
  /** Waits until the node looks for late money no more, which is an hour. */
  readonly patient?: boolean
  /** The disk of this side is full from its nth write on; half a minute later there is room, and it is started again. */
  readonly disk?: { readonly side: 'node' | 'client'; readonly write: number }
}

/** All that is known about a job after everything went quiet. */
export interface Played {
  readonly story: Story
  readonly patient: boolean
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
  /** How often each side wrote. */
  readonly writes: { readonly node: number; readonly client: number }
  readonly passed: readonly Passed[]
  readonly weathers: readonly Weather[]
  /** Events that had passed the first relay when the customer's job ended, by `kind way`. */
  readonly counts: ReadonlyMap<string, number>
  readonly clockSeconds: number
}

export const PRICE = 2_000n
export const QUESTION = 'four words, no more'
/** Tokens that cost the same price at most: four of prompt and eight of answer, of which four are used. */
const TARIFF = { promptMsatsPer1k: 50_000n, answerMsatsPer1k: 225_000n }
/** What of it is the customer's. */
export const UNUSED = 900n

const wishes: Partial<Record<Story, WishedTerms>> = {
  parts: { word: 'parts', parts: 2 },
  after: { word: 'after' },
  hold: { word: 'hold' },
}

/** An invoice outlives the 120 seconds that a silent wallet is given before it is ordered again. */
const LIMITS = { billSeconds: 300, workSeconds: 60 } as const
const TTL_SECONDS = 400
/** After the customer's end: late answers come, the invoice runs out, late money is waited for. At least, and until the node is done. */
const QUIET_SECONDS = { least: 20, most: 4_500 } as const

const tokensOf: Partial<Record<Story, number>> = { parts: 4, tokens: 8 }
const paysBack = (story: Story) => story === 'refund' || story === 'tokens'
const runnerOf = (story: Story) => (story === 'refund' ? 'dies' : 'none')

/** Plays it to the end. Rejects only for what is a bug of the harness or a hang. */
export async function playPaidJob(options: PaidJobOptions): Promise<Played> {
  const { story = 'buy', spoiled, disk } = options
  const stand = await openStand(options)
  const { clock, keys, rail, weathers } = stand
  const began = clock.now()
  const journals = { node: memoryJournal(), client: memoryJournal() }
  const diskOf = (side: 'node' | 'client') =>
    onFullDisk(journals[side], disk?.side === side ? disk.write : Number.POSITIVE_INFINITY, side === 'node')
  const disks = { node: diskOf('node'), client: diskOf('client') }
  const nodeEvents: NodeEvent[] = []
  const askEvents: AskEvent[] = []
  try {
    const payee = spoiled?.payee?.(stand.payee) ?? stand.payee
    const payer = spoiled?.payer?.(stand.payer, rail.payee) ?? stand.payer
    const [nodeSecret, secret] = [keys.newSecret(), keys.newSecret()]
    const openNodeAgain = () =>
      openNode({
        ...{ relays: stand.connect('node'), keys, secret: nodeSecret, clock, payee },
        ...(story === 'tokens' ? { priceMsats: 0n, tariff: TARIFF } : { priceMsats: PRICE }),
        runner: echoRunner({ clock, delayMs: 1_000, pieceMs: 500, fault: spoiled?.runner ?? runnerOf(story) }),
        ...(story === 'after' ? { terms: { after: { startMsats: PRICE, maxMsats: PRICE } } } : {}),
        ...(paysBack(story) ? { refunder: { payer: stand.payee, network: async () => 'regtest' as const } } : {}),
        journal: disks.node,
        service: { id: 'faulty', name: 'faulty', about: '', kinds: [5050], nodeKeys: [] },
        limits: LIMITS,
        onEvent: event => void nodeEvents.push(event),
      })
    let node = await clock.until(openNodeAgain(), 120)
    stand.closing(() => node.close())
    await clock.until(node.ready, 60)

    const relays = stand.connect('client')
    const openClientAgain = () =>
      openClient({
        ...{ relays, keys, secret, clock, payer, network: 'regtest', journal: disks.client },
        ...(paysBack(story) ? { payee: stand.payer } : {}),
      })

    /** Whoever met a full disk is started again, with room; gives the outcomes of jobs that a client took up. */
    async function startAgain(): Promise<readonly Promise<Outcome>[]> {
      await clock.pass(30)
      if (disks.node.isFull) {
        disks.node.makeRoom()
        await node.close()
        node = await clock.until(openNodeAgain(), 120)
      }
      if (!disks.client.isFull) return []
      disks.client.makeRoom()
      return openClientAgain()
        .resume(event => void askEvents.push(event))
        .map(({ outcome }) => outcome)
    }

    const played = async (told: { outcome?: Outcome; code?: string }): Promise<Played> => {
      const counts = new Map(weathers[0]?.counts)
      await clock.pass(QUIET_SECONDS.least)
      const isOpen = () =>
        node.jobs().length > 0 ||
        Object.values(journals).some(({ orders }) => orders.list({ state: 'planned' }).length > 0) ||
        (options.patient === true && journals.node.jobs.unfinished('node').length > 0)
      for (let i = 0; i < QUIET_SECONDS.most && isOpen(); i += 20) {
        if (disks.node.isFull) await startAgain()
        await clock.pass(20)
      }
      return {
        ...told,
        ...{
          story,
          patient: options.patient === true,
          askEvents,
          nodeEvents,
          nodeJobs: node.jobs(),
          weathers,
          journals,
          counts,
        },
        ...{ customer: keys.publicKey(secret), conserved: await rail.conserved(), passed: stand.passed() },
        payer: await rowsOf(rail.payer),
        payee: await rowsOf(rail.payee),
        writes: { node: disks.node.writes, client: disks.client.writes },
        clockSeconds: (clock.now() - began) / 1000,
      }
    }

    const market = await clock.until(readMarket(relays, seconds(clock)), 60)
    const choice = chooseNode(market, { capMsats: PRICE * 2n })
    if (!choice.ok) return await played({ code: choice.code })
    const [stop, giveUp] = [new AbortController(), new AbortController()]
    clock.after((TTL_SECONDS + 300) * 1000, () => giveUp.abort())
    const asked = openClientAgain().ask(
      {
        ...{ text: QUESTION, node: choice.offer, capMsats: PRICE * 2n, ttlSeconds: TTL_SECONDS },
        ...present({ terms: wishes[story], maxTokens: tokensOf[story] }),
        giveUp: giveUp.signal,
        onEvent(event) {
          askEvents.push(event)
          if (story === 'cancel' && event.event === 'paid') stop.abort()
        },
      },
      stop.signal,
    )
    if (!disk) return await played({ outcome: await clock.until(asked, TTL_SECONDS + 400) })
    const first = asked.catch(() => undefined)
    for (let i = 0; i < 60 && !disks[disk.side].isFull; i++) await clock.pass(1)
    const resumed = await startAgain()
    const outcome = await clock.until(resumed[0] ?? first, TTL_SECONDS + 400)
    return await played(outcome ? { outcome } : { code: 'disk' })
  } finally {
    await stand.close()
  }
}
