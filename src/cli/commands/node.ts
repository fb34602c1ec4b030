/** @module `gridstr node`: sells answers. */
import { present, privacies } from '../../../kinds/index.ts'
import { memoryJournal } from '../../journal/memory.ts'
import { npub, openKeys } from '../../keys.ts'
import type { Tariff } from '../../ledger/index.ts'
import { type NodeEvent, openNode } from '../../node/node.ts'
import { openRunner } from '../../runners/index.ts'
import { nanoAbout } from '../../runners/llama/source.ts'
import type { Runner } from '../../runners/runner.ts'
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
import { bar, money, openScreen, type Screen, short } from '../screen.ts'
import { splitsOf } from '../terms.ts'
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

export const runnerOptions = {
  runner: { type: 'string' },
  model: { type: 'string' },
  threads: { type: 'string' },
  'delay-ms': { type: 'string' },
  'piece-ms': { type: 'string' },
} as const

/** Opens the runner that the arguments name, with a progress line for what takes long. */
export async function runnerOf(args: Arguments, io: Io, screen: Screen, parallel?: number): Promise<Runner> {
  const name = args.text('runner') ?? 'llama'
  const model = args.text('model')
  const threads = args.number('threads', 1, 256)
  const delayMs = args.number('delay-ms', 0, 3_600_000)
  const pieceMs = args.number('piece-ms', 0, 60_000)
  try {
    const runner = openRunner(name, {
      clock: io.clock,
      ...(model === undefined ? {} : { model }),
      ...(threads === undefined ? {} : { threads }),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(pieceMs === undefined ? {} : { pieceMs }),
      ...(parallel === undefined ? {} : { parallel }),
      onProgress({ phase, done, total }) {
        if (phase === 'download') screen.progress('model', `downloading ${bar(done, total)}`)
        else screen.progress('model', `loading ${total ? `${Math.floor((done / total) * 100)} %` : '…'}`)
      },
    })
    // Loads the weights now, so that a wrong path is said before anything is announced.
    await runner.models()
    return runner
  } catch (error) {
    throw new UsageError(reason(error))
  }
}

const offerOptions = {
  region: { type: 'string' },
  privacy: { type: 'string' },
  determinism: { type: 'string' },
  slots: { type: 'string' },
  surge: { type: 'boolean' },
  'usage-receipts': { type: 'string' },
  'no-benchmark': { type: 'boolean' },
} as const

/** What a node says of itself beside its price. Throws `UsageError`. */
function offerOf(args: Arguments) {
  const word = (name: string) => {
    const said = args.text(name)
    if (said !== undefined && !/^[!-~]{1,64}$/.test(said))
      throw new UsageError(`--${name}: write one word of at most 64 characters, such as eu.`)
    return said
  }
  const levels = args.text('privacy')
  if (levels !== undefined && !/^[0-3](,[0-3]){0,3}$/.test(levels))
    throw new UsageError(`--privacy ${quoted(levels)}: write the levels that you keep, such as 0,1.`)
  const usage = args.text('usage-receipts') ?? 'routed'
  if (usage !== 'routed' && usage !== 'all' && usage !== 'none')
    throw new UsageError(`--usage-receipts ${quoted(usage)}: write routed, all or none.`)
  const privacy = levels === undefined ? undefined : privacies.filter(level => levels.includes(String(level)))
  const slots = args.number('slots', 1, 64)
  return {
    facts: present({ region: word('region'), determinism: word('determinism'), privacy, slots }),
    options: { surge: args.flag('surge'), usage, benchmark: !args.flag('no-benchmark') } as const,
    slots,
  }
}

export const nodeCommand: Command = {
  name: 'node',
  says: 'Sell answers: hear jobs, bill, run a model, deliver',
  help: [
    'gridstr node --relay URL… [--runner llama|onnx|echo] [--model MODEL] [--price-msats N] [--wallet URI] [--json]',
    '',
    '  --relay URL        relay to work on; repeat for more (two or three are better than one)',
    '  --runner NAME      llama (default), onnx for embeddings, ranking and classification, or echo, which repeats the',
    '                     question and is for tests',
    '  --model WHAT       a GGUF by path, hf:user/repo:quant or https URL (default: the tiny model that is shipped);',
    '                     for onnx a folder as Hugging Face lays it out, an .onnx file or hf:user/repo',
    '  --threads N        threads of the model',
    '  --price-msats N    price of one answer (default 0: free, needs no wallet)',
    '  --msats-per-1k-in N, --msats-per-1k-out N',
    '                     price of a thousand tokens of prompt and of answer, beside the price of one answer: what a job',
    '                     may take is billed, and what it did not take is kept for the customer',
    '  --wallet URI       where the money goes: a nostr+walletconnect:// string of your wallet;',
    '                     also by --wallet-file FILE or GRIDSTR_WALLET',
    '  --key FILE         Nostr key of the node, made and kept there if missing (default: a new one per run; one in the',
    '                     home folder when priced, because customers who paid come back to it)',
    '  --name NAME        name to announce',
    '  --split NPUB:N     N percent of the price are for somebody else, whom customers pay beside you; repeat for more',
    '  --pay-after SATS   let customers pay after the work: a line of credit that begins with so many sats for anybody,',
    '                     grows with what is paid and halves with what is not',
    '  --slots N          jobs that are worked on at once (default 2)',
    '  --surge            ask up to twice the price while busy, of those who asked for a quote before',
    '  --region WORD      where the node is, such as eu',
    '  --privacy LEVELS   levels of privacy that it keeps, such as 0,1,2 (default): public, sealed to it, and in gift wraps',
    '  --determinism WORD how far the same question gets the same answer',
    '  --usage-receipts W publish what a job took: routed (default: for jobs that a router brought), all or none',
    '  --no-benchmark     do not measure the own speed after the start and publish it as a claim',
    '  --journal FILE     what was promised, billed and is kept for customers (default: in the home folder, when priced)',
    '  --open             also answer jobs that name no provider',
    '  --delay-ms N       echo only: wait before answering; --piece-ms N: between two words',
    '  --json             one line when ready, then one per job event',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      ...walletOptions,
      ...runnerOptions,
      'price-msats': { type: 'string' },
      'msats-per-1k-in': { type: 'string' },
      'msats-per-1k-out': { type: 'string' },
      'pay-after': { type: 'string' },
      split: { type: 'string', multiple: true },
      ...offerOptions,
      ...journalOption,
      key: { type: 'string' },
      name: { type: 'string' },
      open: { type: 'boolean' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    const priceMsats = BigInt(args.number('price-msats', 0, 100_000_000_000) ?? 0)
    const tariff = tariffOf(args)
    const paid = priceMsats > 0n || tariff !== undefined
    const offer = offerOf(args)
    const screen = openScreen(io)
    const keys = await openKeys()
    const home = findHome(io)
    const secret = secretOf(args, keys, screen, home && paid ? () => home.keyFile('node') : undefined)
    const splits = splitsOf(args.texts('split'), keys.publicKey(secret))
    const startSats = args.number('pay-after', 0, 100_000_000)
    const uri = walletUriOf(args, io)
    if (paid && uri === undefined)
      throw new UsageError(
        `A price of ${priceWords(priceMsats, tariff)} needs a wallet to be paid with: add --wallet nostr+walletconnect://… (for play money: gridstr wallet regtest).`,
      )
    const kept = paid || args.text('journal') !== undefined
    const journal = kept ? journalOf(args, io, screen, 'node', keys.publicKey(secret)) : memoryJournal()
    const wallet = uri === undefined ? undefined : walletAt(uri, io, keys, journal)
    const runner = await runnerOf(args, io, screen, offer.slots).catch(error => {
      journal.close()
      throw error
    })
    const relays = pool(urls, keys, io.clock, secret)
    try {
      if (wallet && paid) screen.progress('wallet', 'asking the wallet …')
      const info = wallet && paid ? await infoOf(wallet, io.signal) : undefined
      if (info?.ok === false) {
        if (args.flag('json')) io.out(jsonLine({ ok: false, code: 'wallet', error: info.says }))
        screen.line('failed', info.says)
        return 1
      }
      const models = await runner.models()
      const report = (event: NodeEvent) => {
        if (args.flag('json')) io.out(jsonLine(event))
        screen.line(event.event, wordsOf(event))
      }
      let live = false
      const waiting: NodeEvent[] = []
      const node = await openNode(
        {
          relays,
          keys,
          secret,
          clock: io.clock,
          runner,
          priceMsats,
          ...present({ tariff }),
          open: args.flag('open'),
          journal,
          ...offer.options,
          ...(wallet ? { payee: wallet } : {}),
          ...(wallet && info?.methods.includes('pay_invoice')
            ? { refunder: { payer: wallet, network: async () => info.network } }
            : {}),
          ...(startSats === undefined
            ? {}
            : { when: 'after' as const, terms: { after: { startMsats: BigInt(startSats) * 1000n } } }),
          service: {
            id: 'gridstr',
            name: args.text('name') ?? `gridstr ${models.map(m => m.name).join(', ')}`,
            about: models.map(m => `${m.name}: ${m.about}`).join(' · '),
            kinds: runner.kinds,
            nodeKeys: info?.nodeKey ? [info.nodeKey] : [],
            ...(splits.length > 0 ? { splits } : {}),
            ...offer.facts,
          },
          onEvent: event => (live ? report(event) : waiting.push(event)),
        },
        io.signal,
      )
      screen.line(
        'node',
        `${npub(node.pubkey)} · ${models.map(m => m.name).join(', ')} · ${priceWords(priceMsats, tariff)} · signatures by ${keys.engine}`,
      )
      if (models.some(m => m.name === 'nano')) screen.more(nanoAbout)
      let heard = await Promise.race([node.ready, untilStopped(io.signal).then(() => false)])
      while (!heard && !io.signal.aborted) {
        screen.line('deaf', `cannot hear itself through ${urls.join(', ')} yet; trying on`)
        heard = await new Promise<boolean>(resolve => {
          io.clock.after(2_000, () => resolve(waiting.some(event => event.event === 'alive')))
          io.signal.addEventListener('abort', () => resolve(false), { once: true })
        })
      }
      live = true
      if (heard && args.flag('json'))
        io.out(jsonLine({ ready: true, npub: npub(node.pubkey), pubkey: node.pubkey, kinds: node.kinds }))
      for (const event of waiting) report(event)
      await untilStopped(io.signal)
      const left = node.jobs().length
      await node.close()
      screen.line('node', left === 0 ? 'ended; no job was under way' : `ended with ${left} jobs under way`)
      return 0
    } catch (error) {
      if (!io.signal.aborted) throw error
      screen.line('node', 'ended before it was heard by anybody')
      return 0
    } finally {
      await runner.close()
      await wallet?.close()
      await relays.close()
      journal.close()
    }
  },
}

/** Prices of tokens, where any is asked. */
function tariffOf(args: Arguments): Tariff | undefined {
  const [prompt, answer] = ['msats-per-1k-in', 'msats-per-1k-out'].map(
    name => args.number(name, 0, 100_000_000_000) ?? 0,
  )
  if (!prompt && !answer) return undefined
  if (args.texts('split').length > 0 || args.flag('surge'))
    throw new UsageError(
      '--msats-per-1k-in, --msats-per-1k-out: a price by the token goes without --split and --surge.',
    )
  return { promptMsatsPer1k: BigInt(prompt ?? 0), answerMsatsPer1k: BigInt(answer ?? 0) }
}

function priceWords(priceMsats: bigint, tariff: Tariff | undefined): string {
  if (!tariff) return `${money(priceMsats)} per answer`
  const { promptMsatsPer1k, answerMsatsPer1k } = tariff
  const flat = priceMsats > 0n ? `${money(priceMsats)} per answer and ` : ''
  return `${flat}${money(promptMsatsPer1k)} per 1,000 tokens in, ${money(answerMsatsPer1k)} out`
}

/** A node event in words. */
export function wordsOf(event: NodeEvent): string {
  const parts = [
    event.job ? `job ${short(event.job)}` : '',
    event.msats === undefined ? '' : money(event.msats),
    event.id ? `event ${short(event.id)}` : '',
    event.ms === undefined ? '' : `${(event.ms / 1000).toFixed(2)} s`,
    event.says ?? '',
  ]
  return parts.filter(part => part !== '').join(' · ')
}
