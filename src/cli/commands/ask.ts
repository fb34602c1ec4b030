/** @module `gridstr ask`: buys one answer. */
import type { AskEvent, Outcome } from '../../client/client.ts'
import { chooseNode, openClient, readMarket } from '../../client/client.ts'
import { seconds } from '../../clock.ts'
import { npub, openKeys, pubkeyFromText } from '../../keys.ts'
import { type Command, clean, type Io, jsonLine, readArguments, UsageError } from '../command.ts'
import { money, openScreen, type Screen, short } from '../screen.ts'
import { infoOf, pool, reason, relayOption, relayUrls, secretOf, walletOf, walletOptions } from '../wiring.ts'

export const askCommand: Command = {
  name: 'ask',
  says: 'Buy an answer: choose a node, pay under a cap, read',
  help: [
    'gridstr ask --relay URL… [--to NPUB] [--model NAME] [--max-sats N] [--wallet URI] [--json] "question"',
    '',
    '  --relay URL      relay to ask on; repeat for more',
    '  --to NPUB        ask this node (default: the cheapest that is alive)',
    '  --model NAME     only nodes that offer this model',
    '  --max-sats N     pay up to this for the answer (default 0: free answers only)',
    '  --wallet URI     wallet to pay from: a nostr+walletconnect:// string; also --wallet-file or GRIDSTR_WALLET',
    '  --key FILE       your Nostr key (default: a new one per run, so that nobody can link your questions)',
    '  --max-tokens N, --timeout SECONDS',
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
      key: { type: 'string' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    const json = args.flag('json')
    const text = (args.rest.join(' ') === '-' ? await io.stdin() : args.rest.join(' ')).trim()
    if (text === '')
      throw new UsageError(
        'Nothing asked: write the question in quotes at the end, or - to read it from standard input.',
      )
    const to = args.text('to')
    const wanted = to === undefined ? undefined : keyOf(to)
    const capMsats = BigInt(args.number('max-sats', 0, 100_000_000) ?? 0) * 1000n
    const maxTokens = args.number('max-tokens', 1, 1_000_000)
    const ttlSeconds = args.number('timeout', 1, 86_400) ?? 600
    const model = args.text('model')
    const screen = openScreen(io)
    const keys = await openKeys()
    const secret = secretOf(args, keys, screen)
    const wallet = walletOf(args, io, keys)
    const relays = pool(urls, keys, io.clock, secret)
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
      screen.progress('market', `looking for nodes on ${urls.join(', ')} …`)
      const offers = await readMarket(relays, seconds(io.clock), io.signal)
      const wish = {
        capMsats,
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
      if (wallet && capMsats > 0n) screen.progress('wallet', 'asking the wallet …')
      const info = wallet && capMsats > 0n ? await infoOf(wallet, io.signal) : undefined
      if (info?.ok === false) return refuse('wallet', info.says)
      const client = openClient({
        relays,
        keys,
        secret,
        clock: io.clock,
        network: info?.network ?? 'mainnet',
        ...(wallet ? { payer: wallet } : {}),
      })
      const patience = givingUp(io, ttlSeconds)
      const outcome = await client
        .ask(
          {
            giveUp: patience.signal,
            text,
            node: { pubkey, announcement },
            capMsats,
            ttlSeconds,
            ...(model === undefined ? {} : { model }),
            ...(maxTokens === undefined ? {} : { maxTokens }),
            onEvent: event => showAsk(event, io, screen, json),
          },
          io.signal,
        )
        .finally(patience.end)
      return closing(outcome, io, screen, json)
    } catch (error) {
      if (error instanceof UsageError) throw error
      return refuse('trouble', reason(error))
    } finally {
      await wallet?.close()
      await relays.close()
    }
  },
}

/** A wallet that stays silent is waited for: two seconds after Ctrl-C, a minute after the question's own time. */
function givingUp(io: Io, ttlSeconds: number): { signal: AbortSignal; end(): void } {
  const stop = new AbortController()
  const cancels = [io.clock.after((ttlSeconds + 60) * 1000, () => stop.abort())]
  const hurry = () => void cancels.push(io.clock.after(2_000, () => stop.abort()))
  io.signal.addEventListener('abort', hurry, { once: true })
  return {
    signal: stop.signal,
    end() {
      io.signal.removeEventListener('abort', hurry)
      for (const cancel of cancels) cancel()
    },
  }
}

function keyOf(text: string): string {
  try {
    return pubkeyFromText(text)
  } catch (error) {
    // Never the text itself: it may be a secret key, pasted by mistake.
    throw new UsageError(`--to: ${reason(error)}`)
  }
}

/** Shows one moment of a question: the answer to stdout, everything else to stderr. */
export function showAsk(event: AskEvent, io: Io, screen: Screen, json: boolean): void {
  switch (event.event) {
    case 'asked':
      screen.line(
        'asked',
        `job ${short(event.request)} on ${event.relays} ${event.relays === 1 ? 'relay' : 'relays'}${event.sealed ? ', sealed to the node' : ''}`,
      )
      return
    case 'quote':
      screen.line('invoice', `${money(event.msats)} says the invoice itself: ${event.bolt11.slice(0, 28)}…`)
      return
    case 'paying':
      screen.progress('paying', money(event.msats))
      return
    case 'paid':
      screen.line(
        'paid',
        `preimage ${short(event.preimage)} opens the payment hash · routing fee ${event.feeMsats} msats`,
      )
      return
    case 'unproven':
    case 'unknown':
      screen.line('wallet', event.says)
      return
    case 'processing':
      screen.progress('working', 'the node works on it …')
      return
    case 'chunk':
      screen.progress('answer', 'streaming')
      if (json) io.out(jsonLine({ event: 'chunk', text: event.text }))
      else io.write(clean(event.text))
      return
    case 'replaced':
      if (!json) io.write(`\n${clean(event.text)}`)
      screen.line('note', 'what streamed differs from the signed result; this is the result')
      return
    case 'receipt':
      screen.line(
        'receipt',
        event.ok
          ? `zap receipt ${short(event.id)} holds`
          : `zap receipt ${short(event.id)} is not believed: ${event.reasons.join(', ')}`,
      )
  }
}

/** The last lines. Exit status 0 for an answer. */
function closing(outcome: Outcome, io: Io, screen: Screen, json: boolean): number {
  const { ok, request, result, receipt, msats, ms, firstTextMs, preimage, usage } = outcome
  if (!json && ok) io.out('')
  if (json)
    io.out(
      jsonLine(
        ok
          ? {
              ok,
              text: outcome.text,
              request: request.id,
              result: result?.id,
              msats,
              ms,
              firstTextMs,
              preimage,
              receipt: receipt?.id,
              usage,
            }
          : { ok, code: outcome.code, error: clean(outcome.says ?? ''), request: request.id, msats, ms, preimage },
      ),
    )
  if (!ok) {
    screen.line(
      'failed',
      `${outcome.says ?? ''}${msats > 0n ? ` You paid ${money(msats)}: keep the preimage ${preimage ?? '(none shown)'} and job ${request.id} as proof.` : ''}`,
    )
    return 1
  }
  const first = firstTextMs === undefined ? '' : ` · first words after ${(firstTextMs / 1000).toFixed(2)} s`
  screen.line(
    'done',
    `${money(msats)}${first} · ${(ms / 1000).toFixed(2)} s in all${usage ? ` · ${usage.outputTokens} tokens` : ''}`,
  )
  return 0
}
