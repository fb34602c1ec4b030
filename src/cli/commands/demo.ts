/** @module `gridstr demo`: one paid job, every part of it real and on this machine. */
import { startRelay } from '../../../relays/embedded/relay.ts'
import { type AskEvent, chooseNode, openClient, readMarket } from '../../client/client.ts'
import { seconds } from '../../clock.ts'
import { npub, openKeys } from '../../keys.ts'
import { openNode } from '../../node/node.ts'
import { readInvoice } from '../../payments/bolt11.ts'
import { ldkPair } from '../../payments/ldk.ts'
import { secondReading } from '../../payments/second-reader.ts'
import { nanoAbout } from '../../runners/llama/source.ts'
import { type Command, clean, jsonLine, readArguments, UsageError } from '../command.ts'
import { money, openScreen, type Screen, short } from '../screen.ts'
import { connectWallet, pool, shareWallet } from '../wiring.ts'
import { runnerOf, runnerOptions } from './node.ts'

const question = 'What is Nostr?'

/** What the invoice itself asks for, as our strict reader and another program read it. */
async function showInvoice(bolt11: string, screen: Screen): Promise<void> {
  const read = readInvoice(bolt11)
  const second = await secondReading(bolt11)
  const asks = read.ok ? `${money(read.invoice.msats ?? 0n)}, ${read.invoice.network}` : 'nothing that can be read'
  const agrees = read.ok && second?.msats === read.invoice.msats ? 'a second reader agrees' : 'a second reader differs'
  screen.line('invoice', `${bolt11.slice(0, 24)}… · bolt11 itself says ${asks} · ${agrees}`)
}

export const demoCommand: Command = {
  name: 'demo',
  says: 'One paid job on this machine: relay, node, model, Lightning, all real',
  help: [
    'gridstr demo [--json] [--model GGUF] [--price-msats N] ["question"]',
    '',
    'Starts a relay, two Lightning nodes with a channel (play money on a chain of their own), a node that sells',
    'answers of a language model, and a client that buys one. Nothing leaves this machine.',
    '',
    `  "question"       default: "${question}"`,
    '  --model WHAT     a GGUF by path, hf:user/repo:quant or https URL (default: the tiny model that is shipped)',
    '  --price-msats N  price of the answer (default 2000)',
    '  --json           end with one line of figures',
  ],
  async run(argv, io) {
    const args = readArguments(argv, { ...runnerOptions, 'price-msats': { type: 'string' }, json: { type: 'boolean' } })
    const { clock } = io
    const json = args.flag('json')
    const text = args.rest.join(' ').trim() || question
    const priceMsats = BigInt(args.number('price-msats', 1, 50_000_000) ?? 2_000)
    const screen = openScreen(io)
    const open: (() => Promise<void>)[] = []
    const keep = <T>(thing: T, close: (thing: T) => Promise<void>): T => {
      open.unshift(() => close(thing))
      return thing
    }
    try {
      const keys = await openKeys()
      const relay = keep(await startRelay({ clock, verify: event => keys.verify(event) }), one => one.close())
      screen.line('relay', `${relay.url} · started here, in memory · signatures by ${keys.engine}`)

      screen.progress('money', 'starting two Lightning nodes …')
      const pair = keep(await ldkPair({ clock }), one => one.close())
      const wallets = keep(pool([relay.url], keys, clock), one => one.close())
      const shared = await Promise.all(
        [pair.payer, pair.payee].map(wallet => shareWallet(wallet, wallets, keys, clock)),
      )
      for (const one of shared) keep(one, service => service.close())
      const [payer, payee] = shared.map(({ uri }) => keep(connectWallet(uri, keys, clock), one => one.close()))
      if (!payer || !payee) throw new Error('The wallets did not open.')
      const spendable = await payer.balance()
      screen.line('money', `two Lightning nodes, one channel, regtest · the client has ${spendable / 1000n} play sats`)

      const runner = keep(await runnerOf(args, io, screen), one => one.close())
      const [model] = await runner.models()
      const info = await payee.info()
      const nodeRelays = keep(pool([relay.url], keys, clock), one => one.close())
      const node = keep(
        await openNode({
          relays: nodeRelays,
          keys,
          secret: keys.newSecret(),
          clock,
          runner,
          payee,
          priceMsats,
          service: {
            id: 'gridstr',
            name: 'gridstr demo node',
            about: model?.about ?? '',
            kinds: runner.kinds,
            nodeKeys: info.nodeKey ? [info.nodeKey] : [],
          },
          onEvent(event) {
            if (event.event === 'trouble') screen.line('trouble', event.says ?? '')
          },
        }),
        one => one.close(),
      )
      if (!(await node.ready)) throw new Error('The node does not hear itself through the relay.')
      screen.line('node', `${npub(node.pubkey).slice(0, 16)}… · heard its own probe · model ${model?.name}`)
      if (model?.name === 'nano') screen.more(nanoAbout)
      screen.line('price', `${money(priceMsats)} per answer`)

      const relays = keep(pool([relay.url], keys, clock), one => one.close())
      const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: priceMsats })
      if (!choice.ok) throw new Error(choice.says)
      const { pubkey, announcement } = choice.offer
      const client = openClient({ relays, keys, secret: keys.newSecret(), clock, payer, network: info.network })
      screen.line('asks', `"${text}"`)
      let bolt11 = ''
      let receiptSays = 'none came'
      let began = false
      const show = (event: AskEvent) => {
        if (event.event === 'asked')
          screen.line('job', `${short(event.request)} · published${event.sealed ? ', sealed to the node' : ''}`)
        if (event.event === 'quote') {
          bolt11 = event.bolt11
          void showInvoice(event.bolt11, screen)
        }
        if (event.event === 'paid') {
          const read = readInvoice(bolt11)
          const hash = read.ok ? short(read.invoice.hash) : ''
          screen.line(
            'paid',
            `sha256(preimage ${short(event.preimage)}) = payment hash ${hash} · fee ${event.feeMsats} msats`,
          )
        }
        if (event.event === 'receipt') receiptSays = event.ok ? 'every check held' : event.reasons.join(', ')
        if (event.event === 'chunk' && !json) {
          if (!began) screen.line('answer', '')
          began = true
          io.write(clean(event.text))
        }
      }
      const outcome = await client.ask(
        { text, node: { pubkey, announcement }, capMsats: priceMsats, ttlSeconds: 60, onEvent: show },
        io.signal,
      )
      if (!json && began) io.out('')
      const { request, result, receipt, msats, preimage, usage, ms, firstTextMs } = outcome
      const ids = {
        request: request.id,
        feedback: outcome.feedback.map(event => event.id),
        result: result?.id,
        receipt: receipt?.id,
      }
      const ok = outcome.ok && receipt !== undefined && preimage !== undefined
      const why = outcome.ok ? `The answer came, but the zap receipt did not hold: ${receiptSays}.` : outcome.says
      if (ok) {
        screen.line('receipt', `zap receipt ${short(receipt.id)} · signed by the node · ${receiptSays}`)
        screen.line(
          'cost',
          `${money(msats)} · ${(ms / 1000).toFixed(2)} s in all, first words after ${((firstTextMs ?? 0) / 1000).toFixed(2)} s · ${usage?.outputTokens ?? '?'} tokens`,
        )
        screen.more('Next: README.md runs relay, node and client as processes of their own.')
      } else screen.line('failed', why ?? '')
      if (json)
        io.out(
          jsonLine(
            ok
              ? {
                  ok,
                  ...ids,
                  msats,
                  preimage,
                  bolt11,
                  model: model?.name,
                  tokens: usage?.outputTokens,
                  firstTokenMs: firstTextMs,
                  ms,
                  text: outcome.text,
                }
              : { ok, ...ids, code: outcome.code ?? 'receipt', error: why },
          ),
        )
      return ok ? 0 : 1
    } catch (error) {
      if (error instanceof UsageError) throw error
      const says = error instanceof Error ? error.message : String(error)
      if (json) io.out(jsonLine({ ok: false, code: 'trouble', error: says }))
      screen.line('failed', says)
      return 1
    } finally {
      for (const close of open) await close().catch(() => {})
    }
  },
}
