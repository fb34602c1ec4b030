/** @module `gridstr market`: who is there, at which price, how fast and how well thought of, as it changes. */
import {
  benchmark,
  type Event,
  feedback,
  handler,
  heartbeat,
  nodeScore,
  nodeState,
  offering,
  ofKinds,
  priceSheet,
  textRequest,
  textResult,
  usageReceipt,
} from '../../../kinds/index.ts'
import { type Filter, query, type Relays } from '../../../relays/relay.ts'
import { pause, seconds, timeLimit } from '../../clock.ts'
import { npub, openKeys, pubkeyFromText } from '../../keys.ts'
import { type Arguments, type Command, clean, type Io, jsonLine, readArguments, UsageError } from '../command.ts'
import { type Listed, type MarketBook, openMarketBook, priceOf } from '../market-book.ts'
import { marketLines, speed } from '../market-table.ts'
import { openScreen } from '../screen.ts'
import { pool, relayOption, relayUrls } from '../wiring.ts'

const LEASE_SECONDS = 900
const QUERY_MS = 8_000
const TICK_MS = 1_000
const MOST_SERVICES = 64

export const marketCommand: Command = {
  name: 'market',
  says: 'Show who offers work: prices, speed, scores, who is there',
  help: [
    'gridstr market --relay URL… [--kind N] [--router NPUB…] [--once | --json]',
    '',
    '  --relay URL    relay to read; repeat for more',
    '  --kind N       job kind (default: text generation)',
    '  --router NPUB  show the prices and scores of this router only; repeat for more (default: of all that have a price sheet)',
    '  --once         show it once and end (also when the output is no terminal)',
    '  --json         one line per service, once: {"node":…,"name":…,"models":…,"priceMsats":…,"score":…,"status":…,…}',
    '',
    'A node is "alive" while a lease that it signed holds, and "unknown" afterwards: nobody can see that a node is dead.',
    'A speed with "?" is the node’s own claim; without, somebody else measured it. Scores are signed by the routers whose',
    'price sheets are shown; of several the middle one counts. Ctrl-C ends it. NO_COLOR is kept.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      kind: { type: 'string' },
      router: { type: 'string', multiple: true },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    if (args.rest.length > 0) throw new UsageError('market takes no words: give options only.')
    const kind = args.number('kind', 0, 65_535) ?? textRequest.number
    const routers = new Set(args.texts('router').map(routerKeyOf))
    const relays = pool(urls, await openKeys(), io.clock)
    const book = openMarketBook(kind, routers)
    try {
      const live = io.terminal && !args.flag('once') && !args.flag('json') && io.env['TERM'] !== 'dumb'
      if (live) return await watch(relays, book, kind, io)
      return await show(relays, book, kind, io, args)
    } finally {
      await relays.close()
    }
  },
}

/** What is asked of relays but for scores: whose to ask for is not known before the sheets are. */
const questions = (kind: number, now: number): Filter[] => [
  offering(kind, [handler.number, benchmark.number], { limit: 500 }),
  ofKinds([priceSheet.number], { limit: 100 }),
  ofKinds([heartbeat.number, nodeState.number], { since: now - LEASE_SECONDS, limit: 500 }),
  ofKinds([textResult.number, feedback.number, usageReceipt.number], { since: now - LEASE_SECONDS, limit: 500 }),
]
const scoresBy = (services: string[]): Filter => ofKinds([nodeScore.number], { authors: services, limit: 500 })
const servicesOf = (book: MarketBook, now: number): string[] =>
  [...new Set(book.sheets(now).map(({ sheet }) => sheet.service))].slice(0, MOST_SERVICES)

async function show(relays: Relays, book: MarketBook, kind: number, io: Io, args: Arguments): Promise<number> {
  const now = seconds(io.clock)
  const limit = timeLimit(io.clock, QUERY_MS, io.signal)
  const hear = async (filters: Filter[]) => {
    for (const event of await query(relays, filters, limit.signal)) book.heard(event, now)
  }
  await hear(questions(kind, now))
  const services = servicesOf(book, now)
  if (services.length > 0) await hear([scoresBy(services)])
  limit.stop()
  const screen = openScreen(io)
  if (!relays.state().some(({ state }) => state === 'open')) {
    screen.line(
      'failed',
      `No relay answered: ${relays.urls.join(', ')}. Check the addresses, or add another one with --relay.`,
    )
    return 1
  }
  const listed = book.listed(now)
  if (args.flag('json')) for (const one of listed) io.out(jsonLine(plain(one, kind)))
  else {
    const columns = io.columns ?? 120
    // Whether these lines go to a terminal or to a file is not known, so they are plain.
    const style = { columns, colour: false }
    for (const line of marketLines(listed, book.sheets(now), { kind, now }, style)) io.out(line)
  }
  if (listed.length === 0)
    screen.line('market', 'Nobody offers this work on these relays: start a node (gridstr node).')
  return 0
}

/** Redraws in place once a second while something changes; the screen is as it was before when it ends. */
async function watch(relays: Relays, book: MarketBook, kind: number, io: Io): Promise<number> {
  const onEvent = (event: Event) => void book.heard(event, seconds(io.clock))
  let read = false
  let wake = new AbortController()
  const onEose = () => {
    read = true
    wake.abort()
  }
  const listening = relays.listen(questions(kind, seconds(io.clock)), { onEvent, onEose })
  let scores = { of: '', close() {} }
  let drawn = ''
  io.err('\u001b[?1049h\u001b[?25l')
  try {
    while (!io.signal.aborted) {
      const now = seconds(io.clock)
      const services = servicesOf(book, now).sort()
      if (services.join() !== scores.of) {
        scores.close()
        const again = services.length > 0 ? relays.listen([scoresBy(services)], { onEvent, onEose }) : { close() {} }
        scores = { of: services.join(), close: () => again.close() }
      }
      const open = relays.state().filter(({ state }) => state === 'open').length
      const [columns, rows] = [Math.max(20, io.columns ?? 80), Math.max(6, io.rows ?? 24)]
      const style = { columns, rows: rows - 1, colour: !io.env['NO_COLOR'] }
      const lines = marketLines(book.listed(now), book.sheets(now), { kind, now }, style).slice(0, rows - 1)
      lines.push(`${read ? '' : 'reading … · '}${open} of ${relays.urls.length} relays · Ctrl-C ends`.slice(0, columns))
      const text = lines.join('\u001b[K\n')
      // Held back until it is whole, and written over what is there: nothing is ever blank in between.
      if (text !== drawn) io.err(`\u001b[?2026h\u001b[H${text}\u001b[K\u001b[J\u001b[?2026l`)
      drawn = text
      if (wake.signal.aborted) wake = new AbortController()
      await pause(io.clock, TICK_MS, AbortSignal.any([io.signal, wake.signal]))
    }
  } finally {
    io.err('\u001b[?25h\u001b[?1049l')
    scores.close()
    listening.close()
  }
  const listed = book.listed(seconds(io.clock))
  const alive = listed.filter(({ entry }) => entry.status === 'alive').length
  openScreen(io).line('market', `ended with ${listed.length} services seen, ${alive} alive`)
  return 0
}

/** A service as scripts get it. */
function plain({ entry, opinions, score }: Listed, kind: number): object {
  const { announcement, state, node } = entry
  const found = speed(entry)
  const price = priceOf(entry, kind)
  return {
    ...{
      node,
      npub: npub(node),
      service: clean(announcement.id),
      name: clean(announcement.name),
      status: entry.status,
    },
    ...{ kinds: announcement.kinds, models: announcement.models.map(({ name }) => clean(name)) },
    ...{
      priceMsats: price?.msats,
      unit: price?.unit,
      metered: price?.metered,
      prices: state?.prices.length ? state.prices : (announcement.prices ?? []),
    },
    ...(found ? { firstMs: found.at.firstMs, tokensPerSecond: found.at.tokensPerSecond, claimed: found.claimed } : {}),
    ...(score === undefined ? {} : { score, scores: opinions }),
    ...{ slots: state?.slots, terms: announcement.terms, region: announcement.region && clean(announcement.region) },
    ...{ lastSeen: entry.lastSeen, leaseUntil: entry.leaseUntil, announcement: entry.announcementId },
  }
}

function routerKeyOf(text: string): string {
  try {
    return pubkeyFromText(text)
  } catch {
    throw new UsageError('--router: needs the key of a router: --router npub1…')
  }
}
