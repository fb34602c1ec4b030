/** @module `gridstr ask`: buys one answer. */
import { present } from '../../../kinds/index.ts'
import { chooseNode, openClient, readMarket } from '../../client/client.ts'
import { readTrusted } from '../../client/trusted.ts'
import { seconds } from '../../clock.ts'
import { memoryJournal } from '../../journal/memory.ts'
import { npub, openKeys, pubkeyFromText } from '../../keys.ts'
import { faultTools } from '../../router/fault-tools.ts'
import { closing, givingUp, refunds, resumed, showAsk } from '../asking.ts'
import { closingRouted, routingHelp, routingOf, routingOptions, showRouted } from '../asking-routed.ts'
import { type Arguments, type Command, jsonLine, readArguments, UsageError } from '../command.ts'
import { findHome } from '../home.ts'
import { inputHelp, inputOptions, inputsOf } from '../inputs.ts'
import { journalOf, journalOption } from '../keeping.ts'
import { money, openScreen } from '../screen.ts'
import { termsOf } from '../terms.ts'
import { openDeepCheck } from '../verifying/deep.ts'
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

export const askCommand: Command = {
  name: 'ask',
  says: 'Buy an answer: choose a node, pay under a cap, read',
  help: [
    'gridstr ask --relay URL… [--to NPUB] [--router NPUB…] [--model NAME] [--max-sats N] [--wallet URI] [--json] "question"',
    '',
    '  --relay URL      relay to ask on; repeat for more',
    '  --to NPUB        ask this node (default: the cheapest that is alive)',
    '  --model NAME     only nodes that offer this model',
    '  --max-sats N     pay up to this for the answer (default 0: free answers only)',
    '  --wallet URI     wallet to pay from: a nostr+walletconnect:// string; also --wallet-file or GRIDSTR_WALLET',
    '                   (default: the one that "gridstr wallet connect" keeps)',
    '  --terms WHEN     before (default), parts:N, hold (paying opens the answer), after, or escrow:NPUB of a verifier',
    '  --lnurl          also pay who has only a Lightning address: its payment service is asked over HTTPS (default: never)',
    '  --journal FILE   where orders and payments are written before they leave (default: in the home folder)',
    '  --accept JOB, --complain JOB   under escrow: tell the verifier what you think of the answer to this job, and nothing else',
    '                   (end the asking with Ctrl-C before: a journal serves one process; then --resume hears the end)',
    '  --resume         ask nothing, finish what an earlier run left',
    '  --key FILE       your Nostr key (default: a new one for each job, so that nobody can link your questions)',
    '  --max-tokens N, --timeout SECONDS',
    ...inputHelp,
    '  --accuse         where the node or router provably broke a rule, publish the evidence for all to see (default: do not).',
    '                   It shows the least that proves it; of sealed events also the key that opens everything between',
    '                   your key and that node: a key of one job gives away that job, the key of --key all of yours there',
    ...routingHelp,
    '  --json           {"event":"chunk","text":…} lines, then one line with "ok"',
    '',
    'The question may also come on standard input: echo "What is Nostr?" | gridstr ask --relay ws://… -',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      ...walletOptions,
      to: { type: 'string' },
      model: { type: 'string' },
      'max-sats': { type: 'string' },
      'max-tokens': { type: 'string' },
      timeout: { type: 'string' },
      terms: { type: 'string' },
      ...journalOption,
      lnurl: { type: 'boolean' },
      accept: { type: 'string' },
      complain: { type: 'string' },
      resume: { type: 'boolean' },
      accuse: { type: 'boolean' },
      key: { type: 'string' },
      json: { type: 'boolean' },
      ...inputOptions,
      ...routingOptions,
    })
    const urls = relayUrls(args)
    const json = args.flag('json')
    const text = (args.rest.join(' ') === '-' ? await io.stdin() : args.rest.join(' ')).trim()
    const word = wordOf(args)
    const resuming = args.flag('resume') || word !== undefined
    const inputs = await inputsOf(args)
    if (text === '' && inputs.length === 0 && !resuming)
      throw new UsageError(
        'Nothing asked: write the question in quotes at the end, or - to read it from standard input.',
      )
    const to = args.text('to')
    const wanted = to === undefined ? undefined : keyOf(to)
    const capMsats = BigInt(args.number('max-sats', 0, 100_000_000) ?? 0) * 1000n
    const maxTokens = args.number('max-tokens', 1, 1_000_000)
    const ttlSeconds = args.number('timeout', 1, 86_400) ?? 600
    const model = args.text('model')
    const terms = termsOf(args.text('terms'))
    const ways = routingOf(args)
    const screen = openScreen(io)
    const keys = await openKeys()
    const secret = secretOf(args, keys, screen)
    const uri = walletUriOf(args, io)
    // Free questions move no money: they leave no trace.
    const chains = inputs.some(({ type }) => type === 'job')
    const keeps = resuming || chains || args.text('journal') !== undefined || (uri !== undefined && capMsats > 0n)
    const journal = keeps ? journalOf(args, io, screen, 'client') : memoryJournal()
    const wallet = uri === undefined ? undefined : walletAt(uri, io, keys, journal)
    journal.prune(seconds(io.clock) - keptSeconds)
    const caps = findHome(io)?.caps() ?? {}
    const relays = pool(urls, keys, io.clock, secret)
    const walletInfo = async () => {
      screen.progress('wallet', 'asking the wallet …')
      return wallet && infoOf(wallet, io.signal)
    }
    /** Routers on the list of this key; a key of one run has none. */
    const trustedRouters = async () => {
      if (args.text('key') === undefined) return []
      const { value } = await readTrusted({ relays, keys, clock: io.clock, secret }, io.signal)
      return value.routers.map(({ key }) => key)
    }
    const refuse = (code: string, error: string): number => {
      if (json) io.out(jsonLine({ ok: false, code, error }))
      screen.line('failed', error)
      return 1
    }
    try {
      if (capMsats > 0n && !wallet)
        return refuse(
          'no-wallet',
          'A price was allowed but no wallet given: add --wallet nostr+walletconnect://…, or leave --max-sats away for free answers.',
        )
      const info = wallet && keeps ? await walletInfo() : undefined
      if (info?.ok === false) return refuse('wallet', info.says)
      const client = openClient({
        ...{ relays, keys, secret, clock: io.clock, journal, caps, network: info?.network ?? 'mainnet' },
        identity: args.text('key') === undefined ? 'one-job' : 'own',
        ...(wallet ? { payer: wallet, payee: wallet } : {}),
        ...(info?.nodeKey ? { nodeKey: info.nodeKey } : {}),
        ...(args.flag('lnurl') ? { lnurl: {} } : {}),
        ...(args.flag('accuse') ? { accuse: faultTools(keys.verify) } : {}),
        deepCheck: openDeepCheck({ clock: io.clock, verify: keys.verify, network: info?.network ?? 'mainnet' }),
      })
      const said = word && (await client.say(word.job, word.word))
      if (said?.ok === false) return refuse(said.code, said.says)
      if (word) {
        if (json) io.out(jsonLine({ ok: true, request: word.job, said: word.word }))
        screen.line('escrow', `told the verifier "${word.word}"; "gridstr ask --resume" hears the end`)
        return 0
      }
      const earlier = resumed(client, io, screen, { json, alone: resuming })
      /** The end of the run: what comes back is waited for when all is told. */
      const end = async (status: number): Promise<number> => {
        await refunds(client, io)
        return status
      }
      if (resuming) return await end((await earlier) ? 0 : 1)
      const brought = inputs.length > 0 ? { inputs } : {}
      const words = text === '' ? {} : { text }
      const asked = { ...words, ...brought, capMsats, ttlSeconds, ...present({ model, maxTokens, terms }) }
      const routers = ways?.routers.length || wanted !== undefined ? [] : await trustedRouters()
      if (ways || routers.length > 0) {
        const patience = givingUp(io, ttlSeconds)
        const outcome = await client
          .askRouted(
            {
              ...{ routers, giveUp: patience.signal, ...asked },
              ...(routers.length > 0 ? { ...ways, routers } : ways),
              ...(wanted === undefined ? {} : { allow: [wanted] }),
              onEvent: event => showRouted(event, io, screen, json),
            },
            io.signal,
          )
          .finally(patience.end)
        await earlier
        return await end(closingRouted(outcome, io, screen, json))
      }
      screen.progress('market', `looking for nodes on ${urls.join(', ')} …`)
      const offers = await readMarket(relays, seconds(io.clock), undefined, io.signal)
      const wish = {
        ...{ capMsats, privacy: 1 as const },
        ...(model === undefined ? {} : { model }),
        ...(wanted === undefined ? {} : { to: wanted }),
      }
      const choice = chooseNode(offers, wish)
      if (!choice.ok) {
        const down = relays.state().filter(({ state }) => state !== 'open')
        if (choice.code === 'no-node' && down.length === urls.length)
          return refuse(
            'no-relay',
            `No relay answers (${down.map(r => `${r.url}: ${r.lastError || r.state}`).join('; ')}): check --relay, or start one with "gridstr relay".`,
          )
        return refuse(choice.code, choice.says)
      }
      const { pubkey, announcement, alive } = choice.offer
      const price = announcement.priceMsats
      screen.line(
        'node',
        `${npub(pubkey)} · ${announcement.name} · ${price === undefined ? 'price on request' : money(price)}${alive ? '' : ' · no heartbeat lately'}`,
      )
      const patience = givingUp(io, ttlSeconds)
      const outcome = await client
        .ask(
          {
            ...{ ...asked, giveUp: patience.signal, node: { pubkey, announcement } },
            onEvent: event => showAsk(event, io, screen, json),
          },
          io.signal,
        )
        .finally(patience.end)
      await earlier
      return await end(closing(outcome, io, screen, json))
    } catch (error) {
      if (error instanceof UsageError) throw error
      return refuse('trouble', reason(error))
    } finally {
      await wallet?.close()
      await relays.close()
      journal.close()
    }
  },
}

function wordOf(args: Arguments): { word: 'accept' | 'complain'; job: string } | undefined {
  for (const word of ['accept', 'complain'] as const) {
    const job = args.text(word)
    if (job === undefined) continue
    if (!/^[0-9a-f]{64}$/.test(job)) throw new UsageError(`--${word}: needs the id of a job, 64 hex digits.`)
    return { word, job }
  }
  return undefined
}

function keyOf(text: string): string {
  try {
    return pubkeyFromText(text)
  } catch (error) {
    // Never the text itself: it may be a secret key, pasted by mistake.
    throw new UsageError(`--to: ${reason(error)}`)
  }
}

/** How long ended questions stay in the journal; rows about money stay. */
const keptSeconds = 30 * 86_400
