/**
 * Opens a session: relays, a wallet, one budget and a standing view of the market behind questions that get answers.
 * @module
 */
import { type Privacy, present } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type ClientOptions, openClient, type RoutedQuestion } from '../client/client.ts'
import { aborted, type Clock, pause, timeLimit, wallClock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { type Keys, openKeys } from '../keys.ts'
import type { Wallet } from '../payments/payment.ts'
import { openPolicy } from '../routing/index.ts'
import { begin, type Desk } from './asking.ts'
import { openEarlier } from './earlier.ts'
import { reason, SessionError, unanswered } from './failure.ts'
import { openJobs } from './jobs.ts'
import { infoOf, journalOf, relaysOf, relayTrouble, untilConnected, walletOf } from './opening.ts'
import { openPurse } from './purse.ts'
import { type Defaults, routedQuestion } from './question.ts'
import { openRoutes } from './routes.ts'
import type { Asking, Quoted, Session, Unanswered } from './session.ts'
import { asAsking, openSharing } from './sharing.ts'
import { openStanding } from './standing.ts'

export { SessionError } from './failure.ts'
export { type Jobs, type JobsOptions, openJobs } from './jobs.ts'
export * from './session.ts'

/** What people should know beside the answers. */
export interface Notice {
  /** `refund`: money came back after the answer that it was paid for. */
  readonly code: 'resumed' | 'left' | 'refund'
  readonly says: string
}

/** What a session is opened with. Money moves only under an explicit `maxSats` or `maxMsats`. */
export interface SessionOptions {
  /** `wss://…` addresses, two or three are better than one; or relays that are open, which stay the caller's. */
  readonly relays: readonly string[] | Relays
  /** A `nostr+walletconnect://` string, or a wallet that is open, which stays the caller's. Absent: free answers only. */
  readonly wallet?: string | Wallet
  /** Most that one answer may cost. Default 0: free answers only. The smaller one where both are given. */
  readonly maxSats?: number
  readonly maxMsats?: bigint
  /** Most that all answers of this session may cost. Absent: only `maxSats` and `caps` bound it. */
  readonly budgetSats?: number
  readonly budgetMsats?: bigint
  /** Most in an hour, a day, and to one node in a day, over sessions on the same journal. */
  readonly caps?: ClientOptions['caps']
  readonly model?: string
  /** Only this node, 64 hex digits. */
  readonly node?: string
  /** Keys of routers that are asked who should answer. */
  readonly routers?: readonly string[]
  /** Most that one router may cost for a question. Default 0. */
  readonly routerFeeMsats?: bigint
  /** How to choose where no router helps. */
  readonly policy?: string
  readonly region?: string
  readonly minScore?: number
  readonly deny?: readonly string[]
  readonly explore?: boolean
  readonly hedge?: boolean
  readonly terms?: RoutedQuestion['terms']
  /** Level of privacy that is never gone below. Default 1: sealed to the node, asked under a key of one job. */
  readonly privacy?: Privacy
  /** Default `one-job`: nobody can link two questions. `own`: all are signed by `secret`. */
  readonly identity?: 'one-job' | 'own'
  /** The customer's own nodes, 64 hex digits each: level 3 asks only these. */
  readonly own?: readonly string[]
  /** Signs in to relays, and the questions where `identity` is `own`. Default: a new one. */
  readonly secret?: Uint8Array
  /** Path of a file, or a journal that is open, which stays the caller's. Default: in memory, lost with the process. */
  readonly journal?: string | Journal
  /** Seconds after which an answer is not waited for any more. Default 600. */
  readonly ttlSeconds?: number
  /** How long an answer that was bought under a key is handed out again, in seconds. Default 600. */
  readonly keySeconds?: number
  readonly clock?: Clock
  readonly keys?: Keys
  onNotice?(notice: Notice): void
}

/** An open session, and what only its own process may do. */
export interface OpenSession extends Session {
  /** The end of a job that an earlier process left and this one took up; `undefined` where there is none. */
  earlier(request: string): Asking | undefined
  /** Closes, and leaves in the journal what runs: the next process goes on with it. */
  leave(): Promise<void>
}

/** How long a session that closes waits for money to be accounted for. */
const closeMs = 10_000
/** And for money that is on its way back. */
const refundMs = 5_000

/** Opens a session. Throws `SessionError` that says the way out: no relay answers, a dead wallet, a locked journal. */
export async function openSession(options: SessionOptions): Promise<OpenSession> {
  const { clock = wallClock(), onNotice } = options
  const defaults = defaultsOf(options)
  const keys = options.keys ?? (await openKeys())
  const secret = options.secret ?? keys.newSecret()
  const giveUp = new AbortController()
  const closers: (() => Promise<void> | void)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const journal = await journalOf(options.journal)
    closers.push(() => journal.close())
    const relays = relaysOf(options.relays, { keys, clock, secret })
    closers.push(() => relays.close())
    const wallet = walletOf(options.wallet, { keys, clock, journal: journal.it })
    if (wallet) closers.push(() => wallet.close())
    const [info] = await Promise.all([wallet && infoOf(wallet.it, clock), untilConnected(relays.it, clock)])
    const client = openClient({
      ...{ relays: relays.it, keys, secret, clock, journal: journal.it, network: info?.network ?? 'mainnet' },
      ...(wallet ? { payer: wallet.it, payee: wallet.it } : {}),
      ...present({ nodeKey: info?.nodeKey, caps: options.caps, identity: defaults.identity }),
    })
    const standing = openStanding({ relays: relays.it, clock })
    closers.push(standing.close)
    const routes = openRoutes({ client, clock })
    closers.push(routes.close)
    const purse = openPurse(budgetOf(options))
    const keySeconds = options.keySeconds ?? 600
    const earlier = openEarlier({ client, clock, journal: journal.it, keySeconds, giveUp: giveUp.signal })
    const sharing = openSharing({ clock, keepMs: Math.min(keySeconds, 600) * 1000 })
    const desk: Desk = {
      ...{ client, clock, journal: journal.it, purse, routes, defaults, giveUp: giveUp.signal },
      trouble: () => relayTrouble(relays.it),
      onRefund: msats => onNotice?.({ code: 'refund', says: `${msats} msats came back.` }),
    }
    const jobs = openJobs({ journal: journal.it, relays: relays.it, keys, clock })
    earlier.resume()
    if (earlier.open.length > 0)
      onNotice?.({ code: 'resumed', says: `${earlier.open.length} jobs of an earlier process go on.` })
    // The first question finds its way known.
    void routes.get(routedQuestion({}, defaults))
    let closed: Promise<void> | undefined

    /** Waits for the ends of what runs, with a bound, says what is left, and lets go of everything. */
    async function end(withdraws: boolean): Promise<void> {
      const open = sharing.running
      if (withdraws) for (const running of open) running.withdraw()
      else giveUp.abort()
      const done = Promise.all([...open, ...earlier.open].map(({ outcome }) => outcome))
      const enough = new AbortController()
      await Promise.race([done, pause(clock, closeMs, enough.signal)])
      enough.abort()
      giveUp.abort()
      // What nodes keep is claimed again by the next process.
      const late = timeLimit(clock, refundMs)
      await client.settled(withdraws ? late.signal : AbortSignal.abort()).finally(late.stop)
      const left = journal.it.jobs.unfinished('client').length
      if (left > 0) {
        const says = `${left} jobs have not ended: they are in the journal (${journal.it.path}) and go on with the next process.`
        onNotice?.({ code: 'left', says })
      }
      await closeAll()
    }

    return {
      ask(question, signal) {
        if (closed) return over(unanswered('closed', 'This session was closed.'))
        const { key } = question
        const start = () =>
          (key === undefined ? undefined : earlier.under(key)) ??
          begin(desk, question, key === undefined ? undefined : (request, paying) => earlier.link(key, request, paying))
        return sharing.ask(key, start, signal)
      },
      async models(signal) {
        await Promise.race([standing.ready, aborted(signal)])
        return standing.models()
      },
      async nodes(signal) {
        await Promise.race([standing.ready, aborted(signal)])
        return standing.nodes()
      },
      async quote(question, signal) {
        const route = await client.route(routedQuestion(question, defaults), signal)
        return route.candidates.map(({ node, msats, terms }): Quoted => {
          const model = question.model ?? defaults.model
          return { node, msats, terms, ...present({ model }) }
        })
      },
      budget: purse.budget,
      balance: async signal => wallet?.it.balance(signal).catch(() => undefined),
      jobs: jobs.list,
      job: jobs.find,
      cancel: request => sharing.cancel(request),
      earlier(request) {
        const running = earlier.running(request)
        return running && asAsking(running)
      },
      close: () => (closed ??= end(true)),
      leave: () => (closed ??= end(false)),
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Nothing was asked. */
const over = (end: Unanswered): Asking => ({
  request: Promise.resolve(undefined),
  outcome: Promise.resolve(end),
  async *[Symbol.asyncIterator]() {},
})

function defaultsOf(options: SessionOptions): Defaults {
  const { model, node, routers = [], policy, privacy = 1, ttlSeconds = 600, own = [], identity = 'one-job' } = options
  const { routerFeeMsats, region, minScore, deny, explore, hedge, terms } = options
  const maxMsats = least(msatsOf('maxSats', options.maxSats), options.maxMsats) ?? 0n
  const wrong = (says: string) => new SessionError('options', says)
  if (maxMsats < 0n) throw wrong('maxMsats: a cap is not below zero.')
  if (maxMsats > 0n && options.wallet === undefined)
    throw new SessionError(
      'no-wallet',
      'A price was allowed but no wallet given: hand one over, or leave maxSats away.',
    )
  for (const key of [node ?? '', ...routers, ...own])
    if (key !== '' && !/^[0-9a-f]{64}$/.test(key))
      throw wrong('Keys of nodes and routers are 64 lower-case hex digits.')
  try {
    openPolicy(policy)
  } catch (error) {
    throw wrong(`policy: ${reason(error)}`)
  }
  return {
    ...{ routers, privacy, maxMsats, ttlSeconds, own, identity },
    ...present({ model, node, policy, routerFeeMsats, region, minScore, deny, explore, hedge, terms }),
  }
}

const budgetOf = (options: SessionOptions): bigint | undefined =>
  least(msatsOf('budgetSats', options.budgetSats), options.budgetMsats)

const least = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a

function msatsOf(name: string, sats: number | undefined): bigint | undefined {
  if (sats === undefined) return undefined
  if (!Number.isFinite(sats) || sats < 0) throw new SessionError('options', `${name}: give sats as a number from 0.`)
  return BigInt(Math.floor(sats * 1000))
}
