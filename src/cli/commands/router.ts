/** @module `gridstr router`: names nodes to those who ask, and says why. */
import { present } from '../../../kinds/index.ts'
import { memoryJournal } from '../../journal/memory.ts'
import { npub, openKeys, pubkeyFromText } from '../../keys.ts'
import type { Network, Wallet } from '../../payments/payment.ts'
import { type RestoreOptions, restoreLog } from '../../router/restore.ts'
import { type Fee, openRouter, type Router, type RouterEvent } from '../../router/router.ts'
import { openPolicy, type Policy } from '../../routing/index.ts'
import { auditorOf, samenessOf } from '../auditing.ts'
import {
  type Arguments,
  type Command,
  type Io,
  jsonLine,
  quoted,
  readArguments,
  UsageError,
  untilStopped,
} from '../command.ts'
import { findHome } from '../home.ts'
import { journalOf, journalOption } from '../keeping.ts'
import { money, openScreen, type Screen, short } from '../screen.ts'
import { endTrials, trierOf } from '../trying.ts'
import {
  infoOf,
  pool,
  reason,
  relayOption,
  relayUrls,
  secretOf,
  walletAt,
  walletOptions,
  walletUriOf,
} from '../wiring.ts'
import { runnerOf, runnerOptions } from './node.ts'

export const routerCommand: Command = {
  name: 'router',
  says: 'Name nodes to those who ask: prices, scores and reasons that anybody can recompute',
  help: [
    'gridstr router --relay URL… [--fee-msats N --wallet URI] [--policy NAME] [--trials [--trial-msats-per-day N]]',
    '               [--peer NPUB…] [--trust NPUB…] [--open] [--json]',
    '',
    '  --relay URL        relay to hear and publish on; repeat for more. Nodes and customers must be on one of them',
    '  --policy NAME      how it chooses: default, cheapest, fastest, trusted, local; steps before it with a "|", such as',
    '                     "proven|cheapest"',
    '  --prefer NPUB      your own nodes, for the policies that prefer some; repeat for more',
    '  --fee-msats N      what naming nodes costs (default 0), billed apart from the job. Needs a wallet: strangers pay',
    '                     first, whoever has paid before gets the answer with the bill in it',
    '  --wallet URI       where the fee goes: a nostr+walletconnect:// string; also by --wallet-file FILE or GRIDSTR_WALLET',
    '  --credit SATS      fees that anybody may owe you, to begin with (default 0)',
    '  --trials           ask newcomers, and nodes whose sealed answer was drawn for an audit, for work that is done here',
    '                     too. Jobs of customers are sealed and nobody else can check them: without trials nobody is',
    '                     ever proven but by public jobs. A newcomer needs 20. They look like a direct customer’s',
    '  --trial-msats-per-day N  most that trials may cost in a day, paid from --wallet, and a twentieth of it for one; fees',
    '                     of the network come on top (default 0: only free nodes are tried)',
    '  --runner NAME      does the work of trials (default llama), and a share of the public answers, again: llama or echo',
    '                     with --model WHAT, --threads N as for "gridstr node". It judges nodes with the same weights',
    '  --determinism WORD class of this runner, as nodes announce theirs: only where both agree another text is a fault',
    '  --trust NPUB       a customer whose word counts whole, and a judge of stake; repeat for more. Besides it only those',
    '                     count who paid the fee, or whom their payments reach',
    '  --stake UNITS      bond (gridstr bond) that earns a node the whole bonus, a tenth of its score (default 0: none do)',
    '  --peer NPUB        a router to ask first when nobody here has room; others are found by themselves; repeat for more',
    '  --network NAME     coins in which jobs are paid, for judging receipts (default: that of the wallet, else mainnet)',
    '  --open             also answer requests that name no router',
    '  --key FILE         the key that customers name in "gridstr ask --router NPUB" (default: one in the home folder)',
    '  --journal FILE     its log, which every score rests on (default: in the home folder). A key and its journal belong',
    '                     together: never run one key on two journals',
    '  --json             {"ready":true,"npub":…,"pubkey":…} when it hears, then a line per event',
    '',
    'A router is in nobody’s way: jobs and their money go from customers to nodes. It holds no money but its own fee.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      ...walletOptions,
      ...journalOption,
      policy: { type: 'string' },
      prefer: { type: 'string', multiple: true },
      'fee-msats': { type: 'string' },
      credit: { type: 'string' },
      peer: { type: 'string', multiple: true },
      ...runnerOptions,
      trials: { type: 'boolean' },
      'trial-msats-per-day': { type: 'string' },
      determinism: { type: 'string' },
      trust: { type: 'string', multiple: true },
      stake: { type: 'string' },
      network: { type: 'string' },
      open: { type: 'boolean' },
      key: { type: 'string' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    const policy = policyOf(args)
    const peers = args.texts('peer').map(text => keyOf('peer', text))
    const trusted = args.texts('trust').map(text => keyOf('trust', text))
    const tries = args.flag('trials')
    const dayMsats = BigInt(args.number('trial-msats-per-day', 0, 100_000_000_000) ?? 0)
    const determinism = args.text('determinism')
    if (dayMsats > 0n && !tries) throw new UsageError('--trial-msats-per-day pays for trials: add --trials.')
    const feeMsats = BigInt(args.number('fee-msats', 0, 100_000_000_000) ?? 0)
    const startMsats = BigInt(args.number('credit', 0, 100_000_000) ?? 0) * 1_000n
    const said = networkOf(args)
    const screen = openScreen(io)
    const uri = feeMsats > 0n || dayMsats > 0n ? walletUriOf(args, io) : undefined
    if (feeMsats > 0n && uri === undefined)
      throw new UsageError(
        `A fee of ${feeMsats} msats needs a wallet to be paid with: add --wallet nostr+walletconnect://… (for play money: gridstr wallet regtest).`,
      )
    if (dayMsats > 0n && uri === undefined)
      throw new UsageError(
        'Trials of priced nodes need a wallet that pays: add --wallet nostr+walletconnect://…, or leave --trial-msats-per-day out to try free nodes only.',
      )
    const keys = await openKeys()
    const home = findHome(io)
    const secret = secretOf(args, keys, screen, home && (() => home.keyFile('router')))
    const lasting = home !== undefined || args.text('journal') !== undefined
    if (!lasting && args.text('key') !== undefined)
      throw new UsageError('A router that keeps its key keeps its log: add --journal FILE, or set GRIDSTR_HOME.')
    const journal = lasting ? journalOf(args, io, screen, 'router', keys.publicKey(secret)) : memoryJournal()
    const judges = tries || args.text('runner') !== undefined
    const runner = judges ? await runnerOf(args, io, screen).catch(closing(journal)) : undefined
    const wallet = uri === undefined ? undefined : walletAt(uri, io, keys, journal)
    const relays = pool(urls, keys, io.clock, secret)
    const ending = new AbortController()
    let left: Promise<unknown> = Promise.resolve()
    let router: Router | undefined
    try {
      const network = said ?? (wallet ? await walletNetwork(wallet, io, args, screen) : 'mainnet')
      if (network === undefined) return 1
      if (
        !(await wholeLog({ relays, journal, pubkey: keys.publicKey(secret), keys, clock: io.clock }, io, args, screen))
      )
        return 1
      const fee: Fee | undefined =
        wallet && feeMsats > 0n ? { msats: feeMsats, payee: wallet, line: { startMsats } } : undefined
      const same = async (node: string, model: string) => {
        const entry = router?.book.entryOf(node)
        return runner && entry ? samenessOf(runner, entry.announcement, model, determinism) : 'other'
      }
      const trial = present({ determinism, wallet: dayMsats > 0n ? wallet : undefined })
      const trying = {
        ...{ ...trial, keys, clock: io.clock, journal, network, dayMsats },
        connect: () => pool(urls, keys, io.clock),
      }
      const counts = openCounts(io, screen)
      router = openRouter({
        ...{ relays, keys, secret, clock: io.clock, journal, policy, peers, open: args.flag('open') },
        ...(fee ? { fee } : {}),
        judging: {
          ...{ network, trusted, stakeRef: args.number('stake', 0, 1_000_000_000_000) ?? 0 },
          ...(runner ? { auditor: auditorOf(runner, same) } : {}),
          ...(runner && tries ? { trier: trierOf({ ...trying, runner }), trials: { msatsPerDay: dayMsats } } : {}),
        },
        onEvent(event) {
          if (args.flag('json')) io.out(jsonLine(event))
          counts.take(event)
        },
      })
      if (tries) left = endTrials(trying, ending.signal).catch(error => screen.line('trouble', reason(error)))
      await Promise.race([router.ready, untilStopped(io.signal)])
      if (!io.signal.aborted) {
        const { pubkey } = router
        if (args.flag('json')) io.out(jsonLine({ ready: true, npub: npub(pubkey), pubkey }))
        screen.line('router', `${npub(pubkey)} · ${policy.name} · ${feeMsats > 0n ? money(feeMsats) : 'no fee'}`)
        screen.more(`${policy.says} Customers name it: gridstr ask --router ${npub(pubkey)} …`)
        const stop = counts.show(router)
        await untilStopped(io.signal)
        stop()
      }
      const open = router.underWay()
      await router.close()
      screen.line('router', open === 0 ? 'ended; no request was under way' : `ended with ${open} requests under way`)
      return 0
    } finally {
      await router?.close()
      ending.abort()
      await left
      await runner?.close()
      await wallet?.close()
      await relays.close()
      journal.close()
    }
  },
}

/** Lets go of the journal when what follows cannot be opened. */
const closing = (journal: { close(): void }) => (error: unknown) => {
  journal.close()
  throw error
}

function policyOf(args: Arguments): Policy {
  const prefer = args.texts('prefer').map(text => keyOf('prefer', text))
  try {
    return openPolicy(args.text('policy') ?? 'default', prefer)
  } catch (error) {
    throw new UsageError(`--policy: ${reason(error)}.`)
  }
}

function keyOf(option: string, text: string): string {
  try {
    return pubkeyFromText(text)
  } catch {
    throw new UsageError(`--${option}: needs a key: --${option} npub1…`)
  }
}

const networks: readonly Network[] = ['mainnet', 'testnet', 'signet', 'regtest', 'simnet']

function networkOf(args: Arguments): Network | undefined {
  const text = args.text('network')
  const found = networks.find(one => one === text)
  if (text !== undefined && !found)
    throw new UsageError(`--network ${quoted(text)} is unknown: write ${networks.join(', ')}.`)
  return found
}

async function walletNetwork(wallet: Wallet, io: Io, args: Arguments, screen: Screen): Promise<Network | undefined> {
  screen.progress('wallet', 'asking the wallet …')
  const info = await infoOf(wallet, io.signal)
  if (info.ok) return info.network
  if (args.flag('json')) io.out(jsonLine({ ok: false, code: 'wallet', error: info.says }))
  screen.line('failed', info.says)
  return undefined
}

/** Nothing is said on a log that is behind what the key has said already. */
async function wholeLog(options: RestoreOptions, io: Io, args: Arguments, screen: Screen): Promise<boolean> {
  screen.progress('log', 'asking the relays what this key has said before …')
  const log = await restoreLog(options, io.signal)
  if (log.ok && log.entries > 0) screen.line('log', `${log.entries} entries taken back from the relays`)
  if (log.ok) return true
  if (args.flag('json')) io.out(jsonLine({ ok: false, code: 'log', error: log.says }))
  screen.line('failed', log.says)
  return false
}

const everyMs = 2_000
const minuteMs = 60_000

/** Who asked what, who was named, and how much there is to do. */
function openCounts(io: Io, screen: Screen) {
  const asked: number[] = []
  let labels = 0
  const recent = () => {
    const since = io.clock.now() - minuteMs
    while ((asked[0] ?? since) < since) asked.shift()
    return asked.length
  }
  return {
    take(event: RouterEvent) {
      if (event.event === 'request') {
        if (asked.length < 100_000) asked.push(io.clock.now())
        return
      }
      if (event.event === 'attestation') labels++
      if (event.event === 'quotes' || event.event === 'scores' || event.event === 'sheet') return
      screen.line(event.event === 'attestation' ? 'attested' : event.event, wordsOf(event))
    },
    show(router: Router): () => void {
      let cancel = () => {}
      const look = () => {
        const entries = router.book.position().seq
        screen.progress(
          'load',
          `${router.underWay()} under way · ${recent()} requests in the last minute · ${router.book.directory.size} nodes · ${labels} attested · ${entries} entries · ${router.peers().length} routers`,
        )
        cancel = io.clock.after(everyMs, look)
      }
      look()
      return () => cancel()
    },
  }
}

/** An event of a router in words. */
export function wordsOf(event: RouterEvent): string {
  if (event.event === 'routing') {
    const { asker, kind, candidates, refusal, ms } = event
    const named = refusal ? `refused ${refusal.code}: ${refusal.says}` : candidates.map(short).join(', ')
    return `${short(asker)} asked for kind ${kind} · ${named} · ${ms} ms`
  }
  if (event.event === 'invoice') return `${short(event.asker)} pays ${money(event.msats)} first`
  if (event.event === 'paid') return `${short(event.asker)} paid ${money(event.msats)}`
  if (event.event === 'forwarded') return `asked ${event.asked.map(short).join(', ')}`
  return 'says' in event ? event.says : ''
}
