/**
 * `wallet budget`: the wallet's own budget for this connection beside gridstr's caps and what was spent under them.
 * @module
 */
import { seconds } from '../../../clock.ts'
import type { Journal } from '../../../journal/journal.ts'
import { npub } from '../../../keys.ts'
import { PaymentError } from '../../../payments/payment.ts'
import { type Arguments, jsonLine, UsageError } from '../../command.ts'
import type { KeptCaps } from '../../home.ts'
import { DAY_SECONDS, spentBefore } from './caps.ts'
import { type NwcBudgetView, readBudget, wordsOfBudget } from './nwc-budget.ts'
import { allOrders } from './pages.ts'
import type { Desk, Verb } from './verb.ts'
import { inSats } from './words.ts'

const MAX_SATS = 2_100_000_000_000
const PEERS = 10

const SETTINGS = [
  ['set-hour-sats', 'hourMsats'],
  ['set-day-sats', 'dayMsats'],
  ['set-peer-day-sats', 'peerDayMsats'],
] as const

export const budget: Verb = {
  name: 'budget',
  options: {
    'set-hour-sats': { type: 'string' },
    'set-day-sats': { type: 'string' },
    'set-peer-day-sats': { type: 'string' },
    clear: { type: 'boolean' },
  },
  async run(args, desk) {
    const { home, io, json, screen } = desk
    const changes = settingsOf(args)
    const clear = args.flag('clear')
    if (clear || Object.keys(changes).length > 0) {
      home.keepCaps({ ...(clear ? {} : home.caps()), ...changes })
      screen.line('caps', `kept in ${home.capsFile}, for ask and wallet pay`)
    }
    const caps = home.caps()
    const now = seconds(io.clock)
    const { spent, peers } = await desk.read('own', journals => ({
      spent: spentBefore(journals, now),
      peers: byPeer(journals, now - DAY_SECONDS),
    }))
    const own = await ownBudget(desk)
    screen.line('wallet', own.says)
    if (json)
      io.out(
        jsonLine({
          ok: true,
          ...(own.view ? { wallet: own.view } : {}),
          caps,
          spent: { hourMsats: spent.hourMsats, dayMsats: spent.dayMsats },
          peers: peers.map(([pubkey, msats]) => ({ npub: npub(pubkey), dayMsats: msats })),
        }),
      )
    else {
      io.out(`this hour      ${used(spent.hourMsats, caps.hourMsats)}`)
      io.out(`last 24 hours  ${used(spent.dayMsats, caps.dayMsats)}`)
      for (const [pubkey, msats] of peers)
        io.out(`  to ${npub(pubkey).slice(0, 20)}…  ${used(msats, caps.peerDayMsats)}`)
      if (peers.length === 0)
        io.out(
          `each peer      ${caps.peerDayMsats === undefined ? 'no cap' : `at most ${inSats(caps.peerDayMsats)} in 24 hours`}`,
        )
    }
    return 0
  },
}

function settingsOf(args: Arguments): KeptCaps {
  const caps: Record<string, bigint> = {}
  for (const [option, key] of SETTINGS) {
    const sats = args.number(option, 0, MAX_SATS)
    if (sats !== undefined) caps[key] = BigInt(sats) * 1000n
  }
  if (args.rest.length > 0) throw new UsageError('budget takes options only, such as --set-day-sats 5000.')
  return caps
}

/** What the wallet says; its silence is told and ends nothing, because the caps are ours. */
async function ownBudget(desk: Desk): Promise<{ view?: NwcBudgetView; says: string }> {
  const opened = await desk.findWallet()
  if (!opened) return { says: 'none is connected, so its own budget is not known' }
  desk.screen.progress('wallet', 'asking the wallet …')
  try {
    const view = readBudget(await opened.ask('get_budget', desk.io.signal))
    return { ...(view ? { view } : {}), says: wordsOfBudget(view) }
  } catch (error) {
    if (!(error instanceof PaymentError)) throw error
    const unknown = error.code === 'NOT_IMPLEMENTED' || error.code === 'RESTRICTED'
    return { says: unknown ? 'it tells no budget' : `it does not answer (${error.message}): check that it is running` }
  }
}

/** Nostr keys that most went to, most first. */
function byPeer(journals: readonly Journal[], since: number): (readonly [pubkey: string, msats: bigint])[] {
  const sums = new Map<string, bigint>()
  for (const { peer, state, msats, feeMsats = 0n } of journals.flatMap(one => [...allOrders(one, { since })]))
    if (peer !== undefined && state !== 'failed') sums.set(peer, (sums.get(peer) ?? 0n) + msats + feeMsats)
  return [...sums].sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1)).slice(0, PEERS)
}

const used = (spent: bigint, cap: bigint | undefined): string =>
  cap === undefined ? `${inSats(spent)} spent, no cap` : `${inSats(spent)} of ${inSats(cap)} spent`
