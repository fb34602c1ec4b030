/**
 * `wallet pay`: pays one invoice once. The intent is in the journal before anything leaves, and an outcome that nobody
 * knows is asked for until somebody does, in this run or in the next one of the same invoice.
 * @module
 */
import { pause, seconds } from '../../../clock.ts'
import type { Order } from '../../../journal/journal.ts'
import { type Invoice, readInvoice } from '../../../payments/bolt11.ts'
import type { Payer, PayState } from '../../../payments/payment.ts'
import { jsonLine, UsageError } from '../../command.ts'
import { short } from '../../screen.ts'
import { infoOf } from '../../wiring.ts'
import { judge, spentBesides, strayUntil } from './pay-guard.ts'
import type { Desk, Verb } from './verb.ts'
import { inSats, oneLine, utc } from './words.ts'

/** Pauses between two questions what became of a payment: the first, and the longest. */
const ASK_MS = [2_000, 30_000] as const
const MAX_SATS = 2_100_000_000_000_000

export const pay: Verb = {
  name: 'pay',
  options: { 'max-sats': { type: 'string' }, yes: { type: 'boolean' } },
  async run(args, desk) {
    const { io, screen, refuse } = desk
    const [bolt11, ...more] = args.rest
    if (bolt11 === undefined || more.length > 0)
      throw new UsageError('One invoice is paid: gridstr wallet pay lnbc… --max-sats N --yes')
    const maxSats = args.number('max-sats', 0, MAX_SATS)
    if (maxSats === undefined) throw new UsageError('Say what it may cost at most: --max-sats N.')
    const caps = { jobMsats: BigInt(maxSats) * 1000n, ...desk.home.caps() }
    const read = readInvoice(bolt11)
    if (!read.ok) return refuse('bad-invoice', `${read.says} Ask for a new invoice.`)
    const { invoice } = read
    const before = await desk.read('own', ([journal]) => journal?.orders.get(invoice.hash))
    if (before && before.purpose !== 'own')
      return refuse('hash-seen', `A job ordered this invoice (${before.state}): what it buys is paid there, once.`)
    if (before?.state === 'paid') return paid(before, 'was paid before; nothing was paid now', desk)

    const { wallet } = await desk.wallet()
    screen.progress('wallet', 'asking the wallet …')
    const info = await infoOf(wallet, io.signal)
    if (!info.ok) return refuse('wallet', info.says)
    if (before && before.state !== 'failed') {
      screen.line('before', `ordered ${utc(before.at)} (${before.state}): asking the wallet what became of it`)
      const state = await outcome(wallet, before, await wallet.payState(before.hash, io.signal), desk)
      if (state.state !== 'unsent' || before.state === 'unproven') return end(before, state, desk)
      screen.line('before', 'the wallet never heard of it')
    }

    const now = () => seconds(io.clock)
    const judgeNow = (spent: ReturnType<typeof spentBesides>) => judge({ bolt11, caps, spent, info, now: now() })
    const dry = judgeNow(await desk.read('own', journals => spentBesides(journals, now(), before)))
    showInvoice(invoice, desk)
    if (!dry.ok) return refuse(dry.rule, dry.says)
    const { order } = dry
    if (!args.flag('yes'))
      return refuse('not-confirmed', `Nothing was paid: add --yes to pay ${inSats(order.msats)}.`, {
        hash: order.hash,
        msats: order.msats,
      })
    const planned = await desk.write(
      (journal): Planned =>
        journal.atomically(() => {
          const verdict = judgeNow(spentBesides([journal], now(), before))
          if (!verdict.ok) return { refused: verdict }
          const fresh = journal.orders.plan({ ...order, purpose: 'own', at: now() })
          const known = journal.orders.get(order.hash)
          if (!known) throw new Error('The journal lost an order that it has just kept.')
          // Nothing of a failed order left, so the same hash may be tried again.
          if (known.state === 'failed') journal.orders.end(order.hash, { state: 'planned', at: now() })
          return { row: journal.orders.get(order.hash) ?? known, raced: !fresh && !before }
        }, 'money'),
    )
    if (planned.refused) return refuse(planned.refused.rule, planned.refused.says)
    const { row, raced } = planned
    screen.progress('paying', inSats(order.msats))
    // Another process that ordered it since then is paying it.
    const first = await (raced ? wallet.payState(order.hash, io.signal) : wallet.pay(order, io.signal))
    const definite = first.state === 'failed' && !raced
    return end(row, definite ? first : await outcome(wallet, row, first, desk), desk)
  },
}

type Planned =
  | { readonly refused: { readonly rule: string; readonly says: string } }
  | { readonly refused?: undefined; readonly row: Order; readonly raced: boolean }

/**
 * Asks until the wallet knows how the payment ended. What it denies or calls failed is believed once no request of ours
 * can still reach it. `unknown` or `pending` come back only when the process is asked to end.
 */
async function outcome(payer: Payer, order: Order, first: PayState, { io, screen }: Desk): Promise<PayState> {
  let pauseMs: number = ASK_MS[0]
  for (let state = first; ; state = await payer.payState(order.hash, io.signal)) {
    if (state.state === 'paid' || state.state === 'unproven') return state
    const denied = state.state === 'unsent' || state.state === 'failed'
    if (denied && seconds(io.clock) > strayUntil(order)) return state
    if (io.signal.aborted) return { state: 'unknown', says: 'The wallet was not asked to the end.' }
    const says = 'says' in state ? ` (${state.says})` : ''
    screen.progress('asking', `the wallet does not know yet how the payment ended${says}; Ctrl-C is safe`)
    await pause(io.clock, pauseMs, io.signal)
    pauseMs = Math.min(pauseMs * 2, ASK_MS[1])
  }
}

/** Writes how it ended, then says it. */
async function end(order: Order, state: PayState, desk: Desk): Promise<number> {
  const { io, screen, refuse } = desk
  const { hash } = order
  const again = 'run the same command again: it asks the wallet and pays nothing twice.'
  const keep = async (ending: { state: 'paid' | 'unproven' | 'failed'; preimage?: string; feeMsats?: bigint }) => {
    try {
      await desk.write(journal => journal.orders.end(hash, { ...ending, at: seconds(io.clock) }))
    } catch (error) {
      // The money is where it is, whatever becomes of the note.
      screen.line(
        'note',
        `the outcome is not in the journal (${error instanceof Error ? error.message : error}): ${again}`,
      )
    }
  }
  if (state.state === 'paid') {
    await keep(state)
    return paid(
      { ...order, preimage: state.preimage, feeMsats: state.feeMsats },
      'the preimage opens the payment hash',
      desk,
    )
  }
  if (state.state === 'pending' || state.state === 'unknown')
    return refuse('unknown', `Nobody knows yet whether payment ${short(hash)} went through: ${again}`, { hash })
  if (state.state === 'unproven' || order.state === 'unproven') {
    if (state.state === 'unproven') await keep({ state: 'unproven' })
    const says = 'The wallet says paid and shows no preimage, so nothing proves it: ask the payee'
    return refuse('unproven', `${says} whether ${short(hash)} came.`, { hash })
  }
  await keep({ state: 'failed' })
  if (state.state === 'unsent')
    return refuse('unsent', 'The wallet never got the payment, so nothing was paid: run the same command again.', {
      hash,
    })
  return refuse(state.code, `Nothing was paid: ${oneLine(state.says) || state.code}`, { hash })
}

function paid({ hash, msats, feeMsats = 0n, preimage = '' }: Order, how: string, { io, json, screen }: Desk): number {
  screen.line('paid', `${inSats(msats)} and ${inSats(feeMsats)} of fee · hash ${short(hash)} · ${how}`)
  io.out(json ? jsonLine({ ok: true, hash, msats, feeMsats, preimage }) : preimage)
  return 0
}

function showInvoice({ msats, network, payee, expiresAt, description }: Invoice, { screen }: Desk): void {
  const asks = msats === undefined ? 'any amount' : inSats(msats)
  screen.line('invoice', `${asks} · ${network} · to Lightning node ${short(payee)} · until ${utc(expiresAt)}`)
  if (description) screen.more(`"${oneLine(description).slice(0, 200)}"`)
}
